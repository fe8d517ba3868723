// The score of the mutants: what it says of survivors, and that a law which always fails doesn't count as a kill.
import type { Kill } from "@recurra/conformance/mutants";
import { openCpu } from "@recurra/backend-cpu";
import { expect, test } from "vitest";
import { falseAlarms, lineOf } from "../src/kills.ts";

const caught = (law: string) => ({ law, failure: "element 3" });
const kill = (small: Kill["small"], large: Kill["large"]): Kill => ({
  mutant: "tail rows",
  what: "leaves out the last row",
  small,
  large,
  milliseconds: 1,
});

test("each mutant's line says which laws caught it, or at which sizes none did", () => {
  expect(lineOf(kill(caught("memory"), caught("memory")))).toBe(
    "killed    tail rows: leaves out the last row (memory)",
  );
  expect(lineOf(kill(caught("map"), caught("gemm")))).toContain("(map | gemm)");
  expect(lineOf(kill(caught("map"), undefined))).toBe(
    "SURVIVED  tail rows: leaves out the last row (at large sizes)",
  );
  expect(lineOf(kill(undefined, undefined))).toContain("(at small and large sizes)");
});

test("a law that the unbroken backend breaks too is a false alarm", async () => {
  const kills = [kill(caught("memory"), caught("map"))];
  expect(await falseAlarms(kills, openCpu)).toEqual([]);
  const forgetful = () => ({ ...openCpu(), write: () => {} });
  expect(await falseAlarms(kills, forgetful)).toMatchObject([
    { failure: expect.stringContaining("memory") as string, mutants: ["tail rows"] },
    { failure: expect.stringContaining("map") as string, mutants: ["tail rows"] },
  ]);
});
