// The declared error of every function, measured over float32 against float64: what is declared must hold. Where the figures are those
// that OpenGL ES asks of a GPU, a software GPU is better; the others mustn't be so loose that they say nothing.
import type { FunctionName } from "@recurra/core";
import { functionValues } from "@recurra/core/internal";
import { expect, test } from "vitest";
import { applied, onGpu, opened } from "./support.ts";

const SMALLEST_NORMAL = 2 ** -126;
const WIDTH = 512;

/** Floats of every size, evenly by their bits; then evenly where the functions bend; then the edges. */
function points(): Float32Array {
  const all = new Float32Array(512 * WIDTH);
  const bits = new Uint32Array(all.buffer);
  const edges = [0, 1, 9.02, 16, 17, 87, 88, 88.37, 88.72283, 88.72284, 89, 103.97, 104, 105, 1e4, 3.4e38, Infinity, 0.5, 2, SMALLEST_NORMAL]; // prettier-ignore
  edges.forEach((x, i) => all.set([x, -x], 2 * i));
  all[2 * edges.length] = NaN;
  const start = 2 * edges.length + 1;
  for (let i = start; i < all.length; i++)
    if (i % 3 === 0) bits[i] = i * 16381;
    else all[i] = ((i % 3) - 1.5) * (i % 5 === 0 ? 8 : 180) * (i / all.length);
  // Subnormals are flushed, and infinite ones have their own line above.
  return all.map((x, i) => (i < start || (Math.abs(x) >= SMALLEST_NORMAL && Math.abs(x) < Infinity) ? x : 1));
}

const all = points();

const own = ["exp", "tanh", "sigmoid", "softplus"] as const;
const glsl = ["log", "sqrt", "rsqrt", "reciprocal"] as const;

interface Measured {
  relative: number;
  /** The first result that is wrong in kind: not NaN, not infinite, or not small where it should be. */
  wrong: string | undefined;
}

function measure(fn: FunctionName, results: Float32Array): Measured {
  const measured: Measured = { relative: 0, wrong: undefined };
  results.forEach((result, i) => {
    const x = all[i]!;
    const exact = functionValues[fn](x, NaN, NaN);
    const rounded = Math.fround(exact);
    const size = Math.abs(exact);
    if (Number.isNaN(exact) && !Number.isNaN(x)) return; // log and √ of negative numbers: nobody promises anything
    if (!Number.isFinite(rounded)) {
      if (!Object.is(result, rounded)) measured.wrong ??= `${fn}(${x}) = ${result}, expected ${rounded}`;
    } else if (size < SMALLEST_NORMAL) {
      if (!(Math.abs(result - exact) <= SMALLEST_NORMAL))
        measured.wrong ??= `${fn}(${x}) = ${result}, expected ${exact}`;
    } else if (!Number.isFinite(result)) measured.wrong ??= `${fn}(${x}) = ${result}, expected ${exact}`;
    else measured.relative = Math.max(measured.relative, Math.abs(result - exact) / size);
  });
  return measured;
}

onGpu("error", () => {
  for (const fn of [...own, ...glsl])
    test(fn, () =>
      opened(async ({ backend }) => {
        const { relative } = backend.accuracy.functions[fn]!;
        const measured = measure(fn, await applied(backend, fn, all, WIDTH));
        if (process.env["RECURRA_MEASURE"]) console.log(`${fn}: ${measured.relative} of ${relative}`);
        expect(measured.wrong).toBeUndefined();
        expect(measured.relative).toBeLessThanOrEqual(relative);
        if (own.some((name) => name === fn)) expect(relative).toBeLessThanOrEqual(4 * measured.relative);
      }),
    );
});
