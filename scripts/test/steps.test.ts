import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runSteps } from "../steps.mjs";

let printed: string[];
beforeEach(() => {
  printed = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => printed.push(text));
});
afterEach(() => vi.restoreAllMocks());

const node = (code: string): { run: string[] } => ({ run: ["node", "-e", code] });

test("counts steps, prints what they print, and ends with the plain count", async () => {
  expect(
    await runSteps({ one: node("console.log('from one')"), two: node("console.error('from two')") }),
  ).toBe(0);
  expect(printed.join("\n")).toContain("from one");
  expect(printed.join("\n")).toContain("from two");
  expect(printed.at(-1)).toBe("2 passed, 0 failed");
});

test("a failing step, one that dies and one that can't start each fail the whole", async () => {
  const steps = {
    fails: node("process.exit(3)"),
    dies: node("process.kill(process.pid, 'SIGKILL')"),
    missing: { run: ["no-such-program"] },
    passes: node(""),
  };
  expect(await runSteps(steps)).toBe(1);
  expect(printed.join("\n")).toContain("fails: FAILED (exit code 3)");
  expect(printed.join("\n")).toContain("dies: FAILED (SIGKILL)");
  expect(printed.at(-1)).toBe("1 passed, 3 failed");
});
