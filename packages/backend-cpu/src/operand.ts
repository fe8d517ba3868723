/** A view made ready for loops: its array, and where in it the kernel's step lies. */
import type { View } from "@recurra/core";
import { bufferOf, dataOf, type CpuBuffer } from "./memory.ts";

/** Element (r, j) is `data[at + r · rowStride + j · columnStride]`. */
export interface Operand extends View {
  readonly buffer: CpuBuffer;
  readonly data: Float32Array;
  at: number;
}

// Every operand has its members in this order, so that V8 sees one kind of object in all loops.
export const operandOf = ({ buffer, offset, rowStride, columnStride, stepStride, slots }: View): Operand => ({
  buffer: buffer as CpuBuffer,
  data: dataOf(buffer),
  at: 0,
  offset,
  rowStride,
  columnStride,
  stepStride,
  slots,
});

/** An operand that stays where it is. */
export const fixed = (data: Float32Array, rowStride: number, columnStride: 0 | 1): Operand =>
  operandOf({ buffer: bufferOf(data), offset: 0, rowStride, columnStride, stepStride: 0, slots: 1 });

/** One value for all elements. */
export const constant = (value: number): Operand => fixed(Float32Array.of(value), 0, 0);

/** Stand at element (row, column) of step `step`. */
export function seek(operands: readonly Operand[], step: number, row: number, column: number): void {
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i]!;
    const { offset, rowStride, columnStride, stepStride, slots } = operand;
    const start = slots === 1 ? offset : offset + (step % slots) * stepStride;
    operand.at = start + row * rowStride + column * columnStride;
  }
}
