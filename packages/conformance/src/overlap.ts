/**
 * Do two views have an element in common? Exactly, because slices of one stacked buffer lie interleaved, and a false alarm would
 * refuse a good program.
 */
import type { View } from "@recurra/core/internal";

/** A view and how much of it a kernel works on. */
export interface Area extends View {
  readonly rows: number;
  readonly width: number;
}

/** Do both name the same elements, in the same places, at every step? */
export const same = (a: Area, b: Area): boolean =>
  a.buffer === b.buffer &&
  a.offset === b.offset &&
  a.rows === b.rows &&
  a.width === b.width &&
  (a.rows === 1 || a.rowStride === b.rowStride) &&
  (a.width === 1 || a.columnStride === b.columnStride) &&
  sameSteps(a, b);

const sameSteps = (a: Area, b: Area): boolean =>
  a.slots === b.slots && (a.slots === 1 || a.stepStride === b.stepStride);

/** Is there a step at which both have an element in common? */
export function overlap(a: Area, b: Area): boolean {
  if (a.buffer !== b.buffer || a.rows * a.width === 0 || b.rows * b.width === 0) return false;
  const steps = sameSteps(a, b) ? 1 : (a.slots * b.slots) / divisor(a.slots, b.slots);
  for (let step = 0; step < steps; step++) {
    const from = a.offset + (step % a.slots) * a.stepStride;
    const to = b.offset + (step % b.slots) * b.stepStride;
    if (matricesMeet(from, footprint(a), to, footprint(b))) return true;
  }
  return false;
}

/** The greatest common divisor. */
const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

interface Footprint {
  readonly rows: number;
  readonly width: number;
  readonly step: number;
}

const footprint = ({ rows, width, rowStride, columnStride }: Area): Footprint => ({
  rows: rowStride === 0 ? 1 : rows,
  width: columnStride === 0 ? 1 : width,
  step: rowStride,
});

function matricesMeet(a: number, { rows, width, step }: Footprint, b: number, other: Footprint): boolean {
  if (a + (rows - 1) * step + width <= b || b + (other.rows - 1) * other.step + other.width <= a)
    return false;
  if (rows > 1 && other.rows > 1 && step !== other.step) {
    for (let r = 0; r < rows; r++) {
      if (matricesMeet(a + r * step, { rows: 1, width, step }, b, other)) return true;
    }
    return false;
  }
  // Rows i of a and k of b meet where −other.width < b − a + (k − i) · stride < width.
  const stride = rows > 1 ? step : other.rows > 1 ? other.step : 1;
  const least = Math.floor((a - b - other.width) / stride) + 1;
  const most = Math.ceil((a - b + width) / stride) - 1;
  return Math.max(least, 1 - rows) <= Math.min(most, other.rows - 1);
}
