// Some rows of a batch. Nothing here needs Node.
import type { Tensor } from "@recurra/core";

/** The batch rows `rows` of a [T, B, features] tensor. */
export function pickRows({ shape, data }: Tensor, rows: readonly number[]): Tensor {
  const [T = 0, B = 0, features = 0] = shape;
  const picked = new Float32Array(T * rows.length * features);
  for (let t = 0; t < T; t++) {
    rows.forEach((row, index) => {
      const from = (t * B + row) * features;
      picked.set(data.subarray(from, from + features), (t * rows.length + index) * features);
    });
  }
  return { shape: [T, rows.length, features], data: picked };
}
