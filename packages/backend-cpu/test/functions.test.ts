// The declared error of every function, measured over float32: millions of points against float64. What is declared must hold, and
// must not be so loose that it says nothing.
import type { FunctionName } from "@recurra/core";
import { functionValues } from "@recurra/core/internal";
import { describe, expect, test } from "vitest";
import { cpu, generator, Matrix } from "./support.ts";

/** Below this, results are subnormal. */
const SMALLEST_NORMAL = 2 ** -126;
const HALF_SUBNORMAL = 2 ** -150;

const seeded = generator(3);

function applied(fn: FunctionName, points: Float32Array): Float32Array {
  const input = new Matrix(1, points.length, () => 0);
  const output = new Matrix(1, points.length, () => 0);
  cpu.write(input.view.buffer, points, 0);
  const instructions = [{ fn, args: [{ input: 0 }] }];
  const kernel = { op: "map", width: points.length, inputs: 1, instructions, outputs: [0] } as const;
  cpu.prepare(kernel).bind(1, [input.view, output.view]).run(0);
  const results = output.now().slice(0, points.length);
  input.free();
  output.free();
  return results;
}

/** Floats of every size, evenly by their bits; then evenly and at random where the functions bend; then the edges. */
function points(): Float32Array {
  const byBits = new Float32Array(Uint32Array.from({ length: 1_000_000 }, (_, i) => i * 4289).buffer);
  const byValue = Float32Array.from({ length: 600_000 }, (_, i) => (i - 300_000) / 2700);
  const near = Float32Array.from({ length: 400_000 }, () => 10 * seeded());
  const edges = [
    0,
    1,
    9.02,
    16,
    17,
    87,
    88,
    88.72283,
    88.72284,
    89,
    103,
    103.97,
    104,
    105,
    1e4,
    3.4e38,
    Infinity,
    2 ** -126,
    2 ** -149,
  ];
  const both = edges.flatMap((x) => [x, -x]);
  return Float32Array.from([...both, NaN, ...byBits, ...byValue, ...near]);
}

const all = points();

interface Measured {
  relative: number;
  /** Of subnormal results: what is left beyond the relative part. */
  absolute: number;
  /** The first result that is wrong in kind: not NaN, not infinite, or not zero where it should be. */
  wrong: string | undefined;
}

function measure(fn: FunctionName, relativeAllowed: number): Measured {
  const measured: Measured = { relative: 0, absolute: 0, wrong: undefined };
  const results = applied(fn, all);
  for (let i = 0; i < all.length; i++) {
    const x = all[i]!;
    const result = results[i]!;
    const exact = functionValues[fn](x, NaN, NaN);
    const rounded = Math.fround(exact);
    if (!Number.isFinite(rounded) || exact === 0) {
      if (!Object.is(result, rounded)) measured.wrong ??= `${fn}(${x}) = ${result}, expected ${rounded}`;
      continue;
    }
    const error = Math.abs(result - exact);
    const size = Math.abs(exact);
    if (size >= SMALLEST_NORMAL) measured.relative = Math.max(measured.relative, error / size);
    else measured.absolute = Math.max(measured.absolute, error - relativeAllowed * size);
  }
  return measured;
}

const UNARY: readonly FunctionName[] = [
  ...(["exp", "log", "tanh", "sigmoid", "softplus", "sqrt", "rsqrt", "reciprocal"] as const),
];

describe("error", () => {
  for (const fn of UNARY) {
    test(fn, () => {
      const { unit, functions } = cpu.accuracy;
      const declared = functions[fn];
      const { relative, absolute } = declared ?? { relative: unit, absolute: HALF_SUBNORMAL };
      const measured = measure(fn, relative);
      expect(measured.wrong).toBeUndefined();
      expect(measured.relative).toBeLessThanOrEqual(relative);
      expect(measured.absolute).toBeLessThanOrEqual(absolute);
      if (declared) {
        expect(relative).toBeLessThanOrEqual(4 * measured.relative);
        expect(absolute).toBeLessThanOrEqual(4 * measured.absolute);
      }
    });
  }

  test("the list above leaves out no declared function", () => {
    expect(UNARY).toEqual(expect.arrayContaining(Object.keys(cpu.accuracy.functions)));
  });
});

describe("exactly", () => {
  const at = (fn: FunctionName, ...xs: number[]): number[] => [...applied(fn, Float32Array.from(xs))];

  test("tanh", () => {
    expect(at("tanh", 0, -0, Infinity, -Infinity, NaN, 1e4, -1e4)).toEqual([0, -0, 1, -1, NaN, 1, -1]);
  });
  test("sigmoid", () => {
    expect(at("sigmoid", 0, -0, Infinity, -Infinity, NaN, 1e4, -1e4)).toEqual([0.5, 0.5, 1, 0, NaN, 1, 0]);
  });
  test("exp", () => {
    expect(at("exp", 0, -0, Infinity, -Infinity, NaN, 1e4, -1e4)).toEqual([
      1,
      1,
      Infinity,
      0,
      NaN,
      Infinity,
      0,
    ]);
  });

  test("tanh never decreases by more than it may err", () => {
    const xs = Float32Array.from({ length: 400_000 }, (_, i) => i / 40_000);
    const results = applied("tanh", xs);
    const worst = results.findIndex((value, i) => i > 0 && value < results[i - 1]! * (1 - 2 ** -23));
    expect(worst).toBe(-1);
    expect(results.every((value) => value <= 1)).toBe(true);
  });
});
