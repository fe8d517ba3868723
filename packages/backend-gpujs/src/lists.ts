/** For scatterAdd: which rows go to each row of the table, in their order. Made on this side, where indices come from. */
import type { BoundKernel } from "@recurra/core";
import type { GpuBuffer, Memory } from "./memory.ts";
import { at, type Operand } from "./operand.ts";

const listOf = (buffer: GpuBuffer): Operand => ({
  buffer, offset: 0, rowStride: 1, columnStride: 0, stepStride: 0, slots: 1,
}); // prettier-ignore

/**
 * @param owner the lists are freed with it
 * @returns a kernel that first writes the lists, unless they are those of its last run
 */
export function lists(
  memory: Memory,
  owner: GpuBuffer,
  index: Operand,
  rows: number,
  tableRows: number,
  bind: (starts: Operand, order: Operand) => BoundKernel,
): BoundKernel {
  const starts = memory.alloc(tableRows + 1, owner);
  const order = memory.alloc(Math.max(1, rows), owner);
  const bound = bind(listOf(starts), listOf(order));
  let [version, place] = [-1, -1];
  return {
    run(step) {
      const from = at(index, step);
      if (index.buffer.version !== version || from !== place) {
        [version, place] = [index.buffer.version, from];
        const numbers = memory.numbers(index.buffer);
        const begins = new Float32Array(tableRows + 1);
        const rowOf = (r: number): number => numbers[from + r * index.rowStride] as number;
        const inside = (row: number): boolean => row >= 0 && row < tableRows;
        for (let r = 0; r < rows; r++) if (inside(rowOf(r))) begins[rowOf(r) + 1]!++;
        for (let i = 0; i < tableRows; i++) begins[i + 1]! += begins[i]!;
        const next = begins.slice();
        const sorted = new Float32Array(order.length);
        for (let r = 0; r < rows; r++) if (inside(rowOf(r))) sorted[next[rowOf(r)]!++] = r;
        memory.write(starts, begins, 0);
        memory.write(order, sorted, 0);
      }
      bound.run(step);
    },
  };
}
