// The whole command with engines of straw: what is printed last, and the exit code.
import { expect, test, vi } from "vitest";
import type { Registry } from "../src/backends.ts";
import { command, type Machine } from "../src/command.ts";
import { type Engine, Missing } from "../src/engines/engine.ts";
import type { Job } from "../src/job.ts";

const backends: Registry = {
  cpu: {
    engines: ["node20", "worker"],
    variants: ["threads"],
    open: () => Promise.reject(new Error("not here")),
  },
};

async function run(engine: Engine, words = "--backend cpu --engine worker", ci = false) {
  const elsewhere: Engine = () => Promise.reject(new Error("the wrong engine"));
  const printed: string[] = [];
  const machine: Machine = {
    backends,
    engines: { node20: elsewhere, node22: elsewhere, node24: elsewhere, chromium: elsewhere, worker: engine },
    ci,
    print: (line) => printed.push(line),
    progress: { show: () => {}, clear: () => {} },
  };
  const exitCode = await command(words.split(" "), machine);
  return { exitCode, printed, last: printed.at(-1) };
}

const engine =
  (passed: boolean, jobs: Job[] = []): Engine =>
  async (job, _, tell) => {
    jobs.push(job);
    const skipped: string[] = [];
    await tell({ type: "start", engine: "straw", evalAllowed: false, laws: ["memory"] });
    await tell({
      type: "outcome",
      outcome: { law: "memory", passed, comparisons: 1, vacuous: 0, skipped, milliseconds: 0 },
    });
    await tell({ type: "end" });
  };

test("0 where all laws held", async () => {
  const jobs: Job[] = [];
  const { exitCode, last } = await run(engine(true, jobs), "--backend cpu --engine worker --variant threads");
  expect([exitCode, last]).toEqual([0, "cpu(threads): 1 passed, 0 failed"]);
  expect(jobs).toEqual([{ backend: "cpu", mode: undefined, variant: "threads" }]);
});

test("1 where one was broken", async () => {
  const { exitCode, last } = await run(engine(false));
  expect([exitCode, last]).toEqual([1, "cpu: 0 passed, 1 failed"]);
});

test("1 where the engine died", async () => {
  const { exitCode, printed, last } = await run(() => Promise.reject(new Error("the page crashed")));
  expect([exitCode, last]).toEqual([1, "cpu: 0 passed, 1 failed"]);
  expect(printed.join("\n")).toContain("the page crashed");
});

test("an engine that isn't here: 0, and 1 in CI", async () => {
  const missing: Engine = () => Promise.reject(new Missing("get it there"));
  const local = await run(missing);
  expect(local).toMatchObject({
    exitCode: 0,
    printed: ["skipped  worker: get it there", "cpu: 0 passed, 0 failed"],
  });
  expect(await run(missing, undefined, true)).toMatchObject({ exitCode: 1, last: "cpu: 0 passed, 1 failed" });
});

test("2 and nothing printed where the words are wrong", async () => {
  const complain = vi.spyOn(console, "error").mockReturnValue();
  expect(await run(engine(true), "--backend cuda")).toMatchObject({ exitCode: 2, printed: [] });
  expect(complain).toHaveBeenCalledWith('--backend: there is no "cuda"; there is cpu');
});
