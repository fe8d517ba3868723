/**
 * Products whose matrix is a parameter, on a device that rounds both sides to whole steps (`Accuracy.quantized`). With w̃ = w + Δw and
 * x̃ = x + Δx,
 *
 *     |Σ w̃ x̃ − Σ w x| ≤ Σ |Δw| |x| + Σ |w̃| |Δx|.
 *
 * Δw follows from the weights: a row's step is its largest magnitude / `weights`, so |Δw| is at most half of that. |Δx| is at most half
 * a step of x's row, and as much of its largest as computing the step in float32 costs: two roundings.
 */
import type { Accuracy } from "../backend.ts";
import type { Node } from "../graph.ts";
import type { Rows } from "./dots.ts";
import type { Value } from "./value.ts";

/** Of a matrix of parameters: w̃, and Δw. */
export interface Quantized {
  readonly rounded: Float64Array;
  readonly moved: Float64Array;
}

const known = new WeakMap<Float64Array, Quantized>();

/** Rounded to whole steps, row by row; undefined where the device doesn't round this product. */
export function quantized(
  { quantized: format }: Accuracy,
  node: Node,
  { data, width }: Value,
): Quantized | undefined {
  if (!format || node.op !== "product" || node.transposed || node.args[0]!.op !== "parameter")
    return undefined;
  let found = known.get(data);
  if (!found) {
    const rounded = data.slice();
    for (let from = 0; from < data.length; from += width) {
      const row = rounded.subarray(from, from + width);
      const step = largest(row) / format.weights;
      if (step > 0) row.forEach((w, k) => (row[k] = Math.round(w / step) * step));
    }
    known.set(data, (found = { rounded, moved: rounded.map((w, i) => w - data[i]!) }));
  }
  return found;
}

/** How far the numbers of a row may be off, of its largest magnitude. */
export const activationError = ({ quantized: format, unit }: Accuracy): number =>
  format ? 1 / (2 * format.activations) + 2 * unit : 0;

/** The largest magnitude of each row; NaN where one of it is. */
export const largestOf = ({ data, width, from, to }: Rows): Float64Array =>
  Float64Array.from({ length: to - from }, (_, r) =>
    largest(data.subarray((from + r) * width, (from + r + 1) * width)),
  );

const largest = (row: Float64Array): number => row.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
