/** PyTorch beside ours, where a python3 of this machine has it: a script that takes JSON from stdin and prints JSON. */
import { spawnSync } from "node:child_process";
import { describe } from "vitest";
import { findPython } from "../../../../scripts/python.mjs";

const found = findPython("torch");

/** Tests beside PyTorch; where there is none they are skipped, and their title says why. */
export const besideTorch = (tests: () => void): void =>
  void describe.skipIf(!found)(
    found ? `beside PyTorch ${found.version}` : "beside PyTorch: skipped, as python3 has no torch here",
    tests,
  );

export function runTorch(script: string, given: unknown): unknown {
  const { status, stdout, stderr } = spawnSync(found!.path, ["-c", script], {
    input: JSON.stringify(given),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as unknown;
}
