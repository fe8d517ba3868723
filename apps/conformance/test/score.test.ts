// What a run prints and how it counts: nothing that didn't happen may look as if it had passed.
import type { Outcome } from "@recurra/conformance";
import { expect, test } from "vitest";
import type { Message } from "../src/job.ts";
import { type Rules, Score } from "../src/score.ts";

const outcome = (law: string, more: Partial<Outcome> = {}): Message => ({
  type: "outcome",
  outcome: { law, passed: true, comparisons: 1000, vacuous: 0, skipped: [], milliseconds: 1234, ...more },
});
const start = (...laws: string[]): Message => ({
  type: "start",
  engine: "Node v20",
  evalAllowed: false,
  laws,
});

/** The lines of a run, and whether all is well. */
function run(steps: readonly (Message | ((score: Score) => void))[], rules: Partial<Rules> = {}) {
  const lines: string[] = [];
  const score = new Score({
    label: "cpu",
    needsEval: false,
    ci: false,
    print: (line) => lines.push(line),
    ...rules,
  });
  for (const step of steps) {
    if (typeof step === "function") step(score);
    else score.hear(step);
  }
  const good = score.end();
  return { good, text: lines.join("\n"), last: lines.at(-1) };
}

test("all laws held", () => {
  const { good, text } = run([
    start("memory", "map"),
    outcome("memory"),
    outcome("map", { vacuous: 5 }),
    { type: "end" },
  ]);
  expect(good).toBe(true);
  expect(text).toMatchInlineSnapshot(`
    "cpu in Node v20, code from strings forbidden
            law     comparisons      vacuous      seconds
    passed  memory        1,000        0.00%          1.2
    passed  map           1,000        0.50%          1.2
    2,000 comparisons, 0.25% of the bounds vacuous
    cpu: 2 passed, 0 failed"
  `);
});

test("a broken law fails, with its reason", () => {
  const { good, text, last } = run([
    start("memory", "map"),
    outcome("memory"),
    outcome("map", { passed: false, failure: "map: seed 7" }),
  ]);
  expect([good, last]).toEqual([false, "cpu: 1 passed, 1 failed"]);
  expect(text).toContain("map: seed 7");
});

test("after a crash, the law that was tried has failed, and all that weren't", () => {
  const { good, text, last } = run([
    start("memory", "map", "gemm"),
    outcome("memory"),
    (score) => score.broke("SIGSEGV"),
  ]);
  expect([good, last]).toEqual([false, "cpu: 1 passed, 2 failed"]);
  expect(text).toContain("FAILED  map (2 of 3)\n        SIGSEGV\n        not tried: gemm");
});

test.each([
  ["before its first law", [(score: Score) => score.broke("no memory")]],
  ["after its last law", [start("memory"), outcome("memory"), (score: Score) => score.broke("no memory")]],
  ["by its own word", [start("memory"), { type: "failed", reason: "no memory" } as const]],
])("an engine that breaks %s has failed", (_, steps) => {
  const { good, text } = run(steps);
  expect(good).toBe(false);
  expect(text).toContain("no memory");
});

test("an end before all laws were tried is a failure", () => {
  expect(run([start("memory", "map"), outcome("memory"), { type: "end" }]).last).toBe(
    "cpu: 1 passed, 1 failed",
  );
});

test("an engine that isn't here is skipped, and has failed in CI", () => {
  const missing = (score: Score) => score.skip("chromium", "no Chromium here");
  const local = run([missing]);
  expect(local).toEqual({
    good: true,
    text: "skipped  chromium: no Chromium here\ncpu: 0 passed, 0 failed",
    last: "cpu: 0 passed, 0 failed",
  });
  expect(run([missing], { ci: true })).toMatchObject({ good: false, last: "cpu: 0 passed, 1 failed" });
});

test("what the manifest excuses stands by itself, passes nothing and fails nothing, in CI too", () => {
  const nan = ["NaN isn't promised"];
  const steps = [
    start("map", "gemm", "a NaN stays"),
    outcome("map", { skipped: nan }),
    outcome("gemm"),
    outcome("a NaN stays", { skipped: nan, comparisons: 0 }),
  ];
  for (const ci of [false, true]) {
    const { good, text, last } = run(steps, { ci });
    expect([good, last]).toEqual([true, "cpu: 2 passed, 0 failed"]);
    expect(text).toContain("excused  NaN isn't promised: 1 law in part, a NaN stays\n");
    expect(text).not.toContain("nothing to compare");
  }
});

test("an excuse covers no failure", () => {
  const broken = outcome("map", { skipped: ["NaN isn't promised"], passed: false, comparisons: 0 });
  expect(run([start("map"), broken]).last).toBe("cpu: 0 passed, 1 failed");
});

test("a law that has nothing to compare is neither", () => {
  const { good, text, last } = run([
    start("map", "threads"),
    outcome("map"),
    outcome("threads", { comparisons: 0 }),
  ]);
  expect([good, last]).toEqual([true, "cpu: 1 passed, 0 failed"]);
  expect(text).toContain("nothing to compare: threads");
});

test("a run without a comparison has failed", () => {
  expect(run([start(), { type: "end" }]).good).toBe(false);
  expect(run([start("memory"), outcome("memory", { comparisons: 0 })]).good).toBe(false);
});

test("more than 1% of vacuous bounds is a failure", () => {
  expect(run([start("map"), outcome("map", { vacuous: 10 })]).good).toBe(true);
  expect(run([start("map"), outcome("map", { vacuous: 11 })]).last).toBe("cpu: 1 passed, 1 failed");
});

test("a policy that isn't in force is a failure, unless the backend needs code from strings", () => {
  const steps = [{ ...start("map"), evalAllowed: true } as Message, outcome("map")];
  expect(run(steps).good).toBe(false);
  expect(run(steps, { needsEval: true }).good).toBe(true);
});
