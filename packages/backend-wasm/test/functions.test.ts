// The declared error of every function, measured over float32: a million points against float64. What is declared must hold, and
// must not be so loose that it says nothing.
import type { FunctionName } from "@recurra/core";
import { functionValues } from "@recurra/core/internal";
import { describe, expect, test } from "vitest";
import { openWasm } from "../src/index.ts";

const backend = await openWasm();
const HALF_SUBNORMAL = 2 ** -150;

function applied(fn: FunctionName, points: Float32Array): Float32Array {
  const [input, output] = [backend.alloc(points.length), backend.alloc(points.length)];
  backend.write(input, points, 0);
  const kernel = { op: "map", width: points.length, inputs: 1, instructions: [{ fn, args: [{ input: 0 }] }], outputs: [0] } as const; // prettier-ignore
  const view = { offset: 0, rowStride: points.length, columnStride: 1, stepStride: 0, slots: 1 } as const;
  const bound = backend.prepare(kernel).bind(1, [
    { ...view, buffer: input },
    { ...view, buffer: output },
  ]);
  bound.run(0);
  const results = new Float32Array(points.length);
  backend.readSync(output, results, 0);
  backend.free(input);
  backend.free(output);
  return results;
}

/** Floats of every size, evenly by their bits; then evenly where the functions bend; then the edges. */
function points(): Float32Array {
  const byBits = new Float32Array(Uint32Array.from({ length: 500_000 }, (_, i) => i * 8581).buffer);
  const byValue = Float32Array.from({ length: 600_000 }, (_, i) => (i - 300_000) / 2700);
  const nearOne = Float32Array.from({ length: 100_000 }, (_, i) => 1 + (i - 50_000) / 2 ** 20);
  const edges = [0, 1, 8.515955, 8.6, 17.03191, 87, 88.72283, 88.72284, 89, 103.97, 104, 105, 1e4, 3.4e38, Infinity, 2 ** -126, 2 ** -149]; // prettier-ignore
  return Float32Array.from([...edges.flatMap((x) => [x, -x]), NaN, ...byBits, ...byValue, ...nearOne]);
}
const all = points();

const names: readonly FunctionName[] = [
  "exp",
  "log",
  "tanh",
  "sigmoid",
  "softplus",
  "sqrt",
  "rsqrt",
  "reciprocal",
];

describe("error", () => {
  test.each(names)("%s", (fn) => {
    const { unit, functions } = backend.accuracy;
    const { relative, absolute } = functions[fn] ?? { relative: unit, absolute: HALF_SUBNORMAL };
    const results = applied(fn, all);
    /** The largest share of its bound that an error has. */
    let share = 0;
    for (let i = 0; i < all.length; i++) {
      const exact = functionValues[fn](all[i]!, NaN, NaN);
      const result = results[i]!;
      // Past the largest float32 either of it and infinity will do; what must be NaN, infinite or 0 is just that.
      if (Number.isFinite(exact) && Math.abs(exact) > 3.4028e38)
        expect(Math.abs(result)).toBeGreaterThan(3.4e38);
      else if (!Number.isFinite(exact) || exact === 0) {
        if (result !== exact && !(Number.isNaN(exact) && Number.isNaN(result)))
          expect.fail(`${fn}(${all[i]!}) = ${result}, expected ${exact}`);
      } else share = Math.max(share, Math.abs(result - exact) / (relative * Math.abs(exact) + absolute));
    }
    expect(share).toBeLessThanOrEqual(1);
    expect(share).toBeGreaterThan(1 / 2);
  });

  test("the list above leaves out no declared function", () => {
    expect(names).toEqual(expect.arrayContaining(Object.keys(backend.accuracy.functions)));
  });
});

test("tanh and the logistic function end exactly at their limits", () => {
  const at = (fn: FunctionName): number[] => [
    ...applied(fn, Float32Array.of(0, -0, Infinity, -Infinity, NaN, 1e4, -1e4)),
  ];
  expect(at("tanh")).toEqual([0, -0, 1, -1, NaN, 1, -1]);
  expect(at("sigmoid")).toEqual([0.5, 0.5, 1, 0, NaN, 1, 0]);
});
