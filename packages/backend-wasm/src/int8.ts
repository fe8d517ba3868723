/**
 * Weights in int8: how they lie in memory, and how they get there. A matrix stored [out, in] has one scale a row: its largest
 * magnitude is 127 steps. What it multiplies is rounded, row by row, to 14 bits: its largest magnitude is 8191 steps. The sums of
 * products are exact whole numbers, so a row's result is the same bits in any batch and in any order.
 *
 * A panel holds some of the matrix's rows: a few of its columns after another, 64 bytes a step of the sum; then a factor for each
 * row, and where relaxed dot products do it, the sum of its weights' steps times 8192 (engine/gemm8.ts).
 */
import type { Matrix } from "./matrix.ts";
import type { Memory } from "./memory.ts";

export const WEIGHT_STEPS = 127;
export const ACTIVATION_STEPS = 8191;
/** What a sum of products is multiplied by first, exactly, so that no factor is subnormal where the result isn't. */
export const SUM_SCALE = 2 ** -20;

/** How panels lie, which is for the dot product that sums them. */
export interface Panel {
  /** Rows of the matrix, columns of the result. */
  readonly columns: number;
  /** Columns of the matrix that a step takes. */
  readonly deep: 2 | 4;
  /** What comes behind the weights. */
  readonly tailBytes: number;
  /** Where, in a step, the weight of column k and row j lies. */
  place(k: number, j: number): number;
  /** What is added to it. */
  bias(j: number): number;
}

/** Bytes of a panel's step. */
export const STEP_BYTES = 64;

/** Signed bytes by bytes of 7 bits, four at once. */
const dotPanel: Panel = {
  columns: 16,
  deep: 4,
  tailBytes: 2 * 64,
  place: (k, j) => 4 * j + k,
  bias: () => 0,
};

/**
 * Two numbers of 16 bits at once. In each lie a weight of row j, made positive, and one of row j + 4 in the upper byte. The sum of
 * the whole numbers, less 256 times that of their upper bytes, is that of the lower ones: 5 instructions for 16 weights, where
 * taking both bytes apart is 6.
 */
const basePanel: Panel = {
  columns: 32,
  deep: 2,
  tailBytes: 128,
  place: (k, j) => 16 * (j >> 3) + 4 * (j & 3) + 2 * k + ((j >> 2) & 1),
  bias: (j) => (j & 4 ? 0 : 128),
};

export const panelOf = (dots: boolean): Panel => (dots ? dotPanel : basePanel);

/** Depth of a sum: 2048 · 127 · 8191 is less than 2³¹. Deeper ones are done in stripes, each rounded on its own. */
const STRIPE8 = 2048;
/** Rows whose left operand is rounded at once: they stay in the first cache with a panel. */
export const BLOCK8 = 16;
/** A rounded row: its largest magnitude and where its sums begin, 16 bytes each, then 8 bytes for each four numbers. */
export const ROW_HEAD = 32;

/** Numbers are rounded four at a time, so steps come to whole fours too. */
const whole = (depth: number): number => 4 * Math.ceil(depth / 4);

/** @param most how many rows it is ever run on */
export function int8Sizes(
  depth: number,
  most: number,
): { readonly stripe: number; readonly leftBytes: number } {
  const row = ROW_HEAD + 2 * whole(Math.min(depth, STRIPE8));
  return { stripe: STRIPE8, leftBytes: row * Math.min(most, BLOCK8) };
}

/** Stripes of a sum, from and to. */
const stripesOf = (depth: number): (readonly [number, number])[] =>
  Array.from({ length: Math.ceil(depth / STRIPE8) }, (_, i) => [
    i * STRIPE8,
    Math.min(depth, (i + 1) * STRIPE8),
  ]);

const weightBytes = ({ deep }: Panel, depth: number): number => (STEP_BYTES * whole(depth)) / deep;

/** Bytes of a packed [width, depth] matrix: a quarter of float32, and 4 or 8 a row. */
export function int8Bytes(depth: number, width: number, dots: boolean): number {
  const panel = panelOf(dots);
  const bytes = stripesOf(depth).map(([from, to]) => weightBytes(panel, to - from) + panel.tailBytes);
  return Math.ceil(width / panel.columns) * bytes.reduce((a, b) => a + b, 0);
}

/** Pack a right operand: element (k, j) of it is the matrix's column k, row j. */
export function packInt8(
  { memory: { buffer } }: Memory,
  { from, depthStride, columnStride, depth, width }: Matrix,
  to: number,
  dots: boolean,
): void {
  const [floats, bytes, words] = [new Float32Array(buffer), new Int8Array(buffer), new Int32Array(buffer)];
  const panel = panelOf(dots);
  const { columns, deep, place, bias } = panel;
  let at = to;
  for (const [first, last] of stripesOf(depth))
    for (let column = 0; column < width; column += columns) {
      const tail = at + weightBytes(panel, last - first);
      for (let j = 0; j < columns; j++) {
        const row = from + (column + j) * columnStride;
        const weight = (k: number): number =>
          column + j < width && k < depth ? floats[(row + k * depthStride) / 4]! : 0;
        let largest = 0;
        for (let k = 0; k < depth; k++) largest = Math.max(largest, Math.abs(weight(k)));
        const scale = largest / WEIGHT_STEPS;
        let sum = 0;
        for (let k = 0; k < whole(last - first); k++) {
          const steps = first + k < last && scale > 0 ? Math.round(weight(first + k) / scale) : 0;
          bytes[at + STEP_BYTES * Math.floor(k / deep) + place(k % deep, j)] = steps + bias(j);
          sum += steps;
        }
        floats[tail / 4 + j] = scale / (ACTIVATION_STEPS * SUM_SCALE);
        if (dots) words[tail / 4 + columns + j] = (ACTIVATION_STEPS + 1) * sum;
      }
      at = tail + panel.tailBytes;
    }
}
