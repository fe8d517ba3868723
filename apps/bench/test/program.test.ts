// The program as it's built (`npm run unit` builds first): processes, protocol, stdout and exit code.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("../dist/bench.js", import.meta.url));
const bench = (...args: string[]) => promisify(execFile)(process.execPath, [program, ...args]);

test("a system runs in a process of its own, is checked and timed, and stdout has its line alone", async () => {
  const { stdout } = await bench(
    "--backend=",
    "--peers",
    "naive",
    "--workload",
    "A",
    "--seconds",
    "0.01",
    "--json",
  );
  expect(stdout.trim().split("\n")).toHaveLength(1);
  const row = JSON.parse(stdout) as Record<string, unknown>;
  expect(row).toMatchObject({ system: "naive", workload: "A", kind: "forward", bound: 1e-4 });
  expect(row.ms).toBeGreaterThan(0);
  expect(row.error).toBeLessThan(1e-6);
});

test("unknown words: exit code 2, a message on stderr, nothing on stdout", async () => {
  await expect(bench("--peers", "theano")).rejects.toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining('there is no "theano"') as string,
  });
});
