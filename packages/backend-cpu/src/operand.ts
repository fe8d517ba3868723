/**
 * A view made ready: checked once against its buffer at every step, then only located. `overlap` is exact, because slices of one
 * stacked buffer lie interleaved, and a false alarm would refuse a good program.
 */
import type { View } from "@recurra/core";
import { fail } from "./errors.ts";
import type { CpuBuffer, Memory } from "./memory.ts";

/** Where a loop reads or writes: element (r, j) is `data[at + r · rowStep + j · columnStep]`. */
export class Cursor {
  constructor(
    public data: Float32Array,
    public at: number,
    public rowStep: number,
    public readonly columnStep: number,
  ) {}
}

export class Operand extends Cursor {
  readonly buffer: CpuBuffer;
  readonly rows: number;
  readonly width: number;
  readonly offset: number;
  readonly stepStride: number;
  readonly slots: number;
  /** Its first element at the step last located. */
  base: number;

  constructor(memory: Memory, who: string, view: View, rows: number, width: number) {
    const { offset, rowStride, columnStride, stepStride, slots } = view;
    const buffer = memory.own(who, view.buffer);
    super(buffer.data, offset, rowStride, columnStride);
    this.buffer = buffer;
    this.rows = rows;
    this.width = width;
    this.offset = offset;
    this.stepStride = stepStride;
    this.slots = slots;
    this.base = offset;

    const whole = [rows, width, offset, rowStride, stepStride, slots].every(
      (n) => Number.isInteger(n) && n >= 0,
    );
    if (!whole || slots === 0 || (columnStride !== 0 && columnStride !== 1)) {
      const got = JSON.stringify({ rows, width, offset, rowStride, columnStride, stepStride, slots });
      fail(
        "INVALID_ARGUMENT",
        `${who}: expected whole numbers from 0, slots from 1 and a columnStride of 0 or 1, got ${got}`,
      );
    }
    // Rows that cover several steps go on into the slots after the first, so only the first slot's rows must all be there.
    const end =
      Math.max((slots - 1) * stepStride, (rows - 1) * rowStride) + offset + (width - 1) * columnStride + 1;
    if (rows > 0 && width > 0 && end > buffer.length) {
      fail(
        "INVALID_ARGUMENT",
        `${who}: expected a view within ${buffer.length} values, got one that ends at ${end}`,
      );
    }
  }

  /** Stand at the first element of step `step`. */
  locate(step: number): void {
    if (!this.buffer.alive)
      fail("DISPOSED", "cpu run: a buffer of this kernel was freed; bind again with live ones");
    this.base = this.slots === 1 ? this.offset : this.offset + (step % this.slots) * this.stepStride;
    this.at = this.base;
  }

  /** Stand at another element of that step. */
  move(row: number, column: number): void {
    this.at = this.base + row * this.rowStep + column * this.columnStep;
  }

  /** As `locate`, to write there. */
  claim(step: number): void {
    this.locate(step);
    this.buffer.change();
  }

  /** Rows lie one behind the other, so that the whole is one long row; or every element is the same one. */
  get flat(): boolean {
    return this.rows === 1 || (this.columnStep === 0 ? this.rowStep === 0 : this.rowStep === this.width);
  }
}

/** An operand to write to. */
export function output(memory: Memory, who: string, view: View, rows: number, width: number): Operand {
  const operand = new Operand(memory, who, view, rows, width);
  if (view.columnStride !== 1 || (rows > 1 && view.rowStride < width)) {
    const got = `${view.columnStride} and ${view.rowStride}`;
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected a columnStride of 1 and a rowStride from ${width}, got ${got}`,
    );
  }
  return operand;
}

/** Refuse outputs that lie over an input or over one another. `inPlace`: an input with just the same view is welcome. */
export function refuseOverlaps(
  who: string,
  inputs: readonly Operand[],
  outputs: readonly Operand[],
  inPlace: boolean,
): void {
  outputs.forEach((out, o) => {
    inputs.forEach((input, i) => {
      if (overlap(out, input) && !(inPlace && same(out, input))) {
        fail(
          "INVALID_ARGUMENT",
          `${who}: expected output ${o} apart from the inputs, got one that lies over input ${i}`,
        );
      }
    });
    outputs.slice(0, o).forEach((other, i) => {
      if (overlap(out, other)) fail("INVALID_ARGUMENT", `${who}: expected outputs apart, got ${o} over ${i}`);
    });
  });
}

/** Do both name the same elements, in the same places, at every step? */
export function same(a: Operand, b: Operand): boolean {
  return (
    a.buffer === b.buffer &&
    a.offset === b.offset &&
    a.rows === b.rows &&
    a.width === b.width &&
    (a.rows === 1 || a.rowStep === b.rowStep) &&
    (a.width === 1 || a.columnStep === b.columnStep) &&
    sameSteps(a, b)
  );
}

const sameSteps = (a: Operand, b: Operand): boolean =>
  a.slots === b.slots && (a.slots === 1 || a.stepStride === b.stepStride);

/** Is there a step at which both have an element in common? */
export function overlap(a: Operand, b: Operand): boolean {
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
  rows: number;
  readonly width: number;
  readonly step: number;
}

const footprint = ({ rows, width, rowStep, columnStep }: Operand): Footprint => ({
  rows: rowStep === 0 ? 1 : rows,
  width: columnStep === 0 ? 1 : width,
  step: rowStep,
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
