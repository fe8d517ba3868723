/** PyTorch beside ours, where a python3 of this machine has it: a script that takes JSON from stdin and prints JSON. */
import { spawnSync } from "node:child_process";
import { findPython } from "../../../../scripts/python.mjs";

const found = findPython("torch");

/** The version, or undefined where there is none. */
export const torch: string | undefined = found?.version;

export const missing = "python3 has no torch here: the side-by-side with PyTorch was left out";

export function runTorch(script: string, given: unknown): unknown {
  const { status, stdout, stderr } = spawnSync(found!.path, ["-c", script], {
    input: JSON.stringify(given),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as unknown;
}
