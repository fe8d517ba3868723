/**
 * The error that a backend declares of each function, measured over float32 against float64, for the tests of backends: it must hold,
 * and mustn't be so loose that it says nothing. The laws only ask the first, at fewer points.
 */
import { expect } from "vitest";
import { functionValues, type Backend, type DeviceBuffer, type FunctionName } from "@recurra/core/internal";

/** Of one operand, and rounded. */
export const measured = [
  "exp",
  "log",
  "tanh",
  "sigmoid",
  "softplus",
  "sqrt",
  "rsqrt",
  "reciprocal",
] as const satisfies readonly FunctionName[];

const WIDTH = 512;
const SMALLEST_NORMAL = 2 ** -126;
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** A function of each number, as many as fill rows. */
async function applied(backend: Backend, fn: FunctionName, numbers: Float32Array): Promise<Float32Array> {
  const view = (buffer: DeviceBuffer) =>
    ({ buffer, offset: 0, rowStride: WIDTH, columnStride: 1, stepStride: 0, slots: 1 }) as const;
  const instructions = [{ fn, args: [{ input: 0 }] }];
  const kernel = { op: "map", width: WIDTH, inputs: 1, instructions, outputs: [0] } as const;
  const [from, to] = [backend.alloc(numbers.length), backend.alloc(numbers.length)];
  backend.write(from, numbers, 0);
  backend
    .prepare(kernel)
    .bind(numbers.length / WIDTH, [view(from), view(to)])
    .run(0);
  const results = new Float32Array(numbers.length);
  await backend.read(to, results, 0);
  for (const buffer of [from, to]) backend.free(buffer);
  return results;
}

/** The edges; floats of every size, evenly by their bits; then evenly where functions bend, and about 1, where log is 0. */
function floats(): Float32Array {
  const edges = [
    0, 0.5, 1, 2, 8.515955, 8.6, 9.02, 16, 17, 17.03191, 87, 88, 88.37, 88.72283, 88.72284, 89, 103, 103.97, 104, 105, 1e4, 3.4e38, Infinity, 2 ** -126, 2 ** -149,
  ].flatMap((x) => [x, -x]); // prettier-ignore
  const all = new Float32Array(2400 * WIDTH);
  all.set([...edges, NaN]);
  const bits = new Uint32Array(all.buffer);
  const start = edges.length + 1;
  for (let i = start; i < all.length; i++) {
    const at = (i - start) / (all.length - start);
    if (i % 12 < 5) bits[i] = at * 2 ** 32;
    else if (i % 12 < 11) all[i] = 222 * (at - 0.5);
    else all[i] = 1 + 0.1 * (at - 0.5);
  }
  return all;
}
const all = floats();

/** @param least what share of its declared error the largest one has at least; 0 where others have declared it */
export async function expectDeclared(backend: Backend, fn: FunctionName, least: number): Promise<void> {
  const { unit, functions, subnormals } = backend.accuracy;
  const { relative, absolute } = functions[fn] ?? {
    relative: unit,
    absolute: subnormals ? 2 ** -150 : SMALLEST_NORMAL,
  };
  const results = await applied(backend, fn, all);
  let worst = 0;
  results.forEach((result, i) => {
    const x = all[i]!;
    if (!subnormals && x !== 0 && Math.abs(x) < SMALLEST_NORMAL) return;
    const exact = functionValues[fn](x, NaN, NaN);
    const size = Math.abs(exact);
    // Nobody promises to make a NaN where none came in.
    if (Number.isNaN(exact) && !Number.isNaN(x)) return;
    // Just below the largest float32 a result may be rounded past it.
    if (size * (1 + relative) > LARGEST && result === Math.sign(exact) * Infinity) return;
    if (Object.is(result, exact)) return;
    const share = Math.abs(result - exact) / (relative * size + absolute);
    // Written so that NaN fails; an infinite result is no number's.
    if (!(share <= 1))
      expect.fail(`${fn}(${x}) = ${result}, expected ${exact}: ${share} of what is declared`);
    // Below that the least subnormal counts, which nobody chooses.
    if (size >= SMALLEST_NORMAL) worst = Math.max(worst, share);
  });
  expect(worst, "the largest share of what is declared").toBeGreaterThan(least);
}
