/** Sequences side by side may differ in length: where each row ends. */
import { fail } from "./errors.ts";

export interface Sizes {
  readonly steps: number;
  readonly batch: number;
  /** How many steps each row has; absent where all have all. */
  readonly lengths?: ArrayLike<number> | undefined;
}

/** The row, among all steps' rows, of a sequence's last step; −1 where it has none. */
export function lastRow({ steps, batch, lengths }: Sizes, b: number): number {
  const length = lengths?.[b] ?? steps;
  return length === 0 ? -1 : (length - 1) * batch + b;
}

/** Indices are exact in float32 up to here. */
const maxIndex = 2 ** 24;

/** Each sequence's last row, as the input of a gather. */
export function lastRows(sizes: Sizes): Float32Array {
  const { steps, batch } = sizes;
  if (steps * batch > maxIndex)
    fail("UNSUPPORTED", `last: expected at most 2²⁴ rows (steps · batch), got ${steps * batch}`);
  return Float32Array.from({ length: batch }, (_, b) => lastRow(sizes, b));
}
