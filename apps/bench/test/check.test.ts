import { describe, expect, test } from "vitest";
import { check, type Verdict } from "../src/check.ts";
import type { Workload } from "../src/workloads.ts";

const workload: Workload = { name: "tiny", T: 2, B: 3, I: 1, H: 1, kinds: ["forward"] };
const values = { output: Float64Array.of(1, 2, 3, 4, 5, 100) };
const verdict = (output?: number[]): Verdict =>
  check(output ? { output: Float32Array.from(output) } : {}, values, { output: 0.01 }, workload);

describe("check", () => {
  test("within t · max(1, |expected|)", () => {
    const right = verdict([1, 2, 3, 4, 5, 100.9]);
    expect(right).toMatchObject({ ok: true, bound: 0.01 });
    expect(right.error).toBeCloseTo(0.009, 5);
    expect(verdict([1, 2, 3, 4, 5, 101.1]).ok).toBe(false);
    expect(verdict([1.25, 2, 3, 4, 5, 100])).toEqual({
      ok: false,
      error: 0.25,
      bound: 0.01,
      message: "output[0]: expected 1 within 0.01, got 1.25",
    });
  });

  test("NaN, too few values and none are wrong", () => {
    expect(verdict([NaN, 2, 3, 4, 5, 100])).toMatchObject({ ok: false, error: Infinity });
    expect(verdict([1, 2, 3]).message).toBe("output: expected 6 values, got 3");
    expect(verdict().message).toBe("output: expected 6 values, got none");
  });

  test("each result has a tolerance of its own, and those without aren't looked at", () => {
    const results = {
      output: Float32Array.of(1, 2, 3, 4, 5, 100),
      "0.f": Float32Array.of(0.5),
      more: Float32Array.of(7),
    };
    const expected = { ...values, "0.f": Float64Array.of(0.4) };
    expect(check(results, expected, { output: 0.01 }, workload).ok).toBe(true);
    expect(check(results, expected, { output: 0.01, "0.f": 0.2 }, workload)).toMatchObject({
      ok: true,
      bound: 0.2,
    });
    expect(check(results, expected, { output: 0.01, "0.f": 0.05 }, workload).ok).toBe(false);
  });

  test("of sequences only the checked rows are looked at", () => {
    const rows = { ...workload, checkedRows: [0, 2] };
    const part = { output: Float64Array.of(1, 3, 4, 6), "0.b.i": Float64Array.of(1, 2, 3) };
    const tolerances = { output: 1e-4, "0.b.i": 1e-4 };
    const right = { output: Float32Array.of(1, -1, 3, 4, -1, 6), "0.b.i": Float32Array.of(1, 2, 3) };
    expect(check(right, part, tolerances, rows)).toMatchObject({ ok: true, error: 0 });
    expect(check({ ...right, output: Float32Array.of(1, 9, 9, 4, 9, 6) }, part, tolerances, rows).ok).toBe(
      false,
    );
    expect(check({ ...right, "0.b.i": Float32Array.of(1, 9, 3) }, part, tolerances, rows).ok).toBe(false);
  });
});
