/** `gather` and `scatterAdd`: rows of a table by index, forward and adjoint. An index outside the table, as −1 is, means no row. */
import type { GatherKernel, ScatterAddKernel } from "@recurra/core";
import type { Operand } from "./operand.ts";

export function gather(
  { width }: GatherKernel,
  operands: readonly Operand[],
  rows: number,
  tableRows: number,
) {
  const [table, index, out] = operands as [Operand, Operand, Operand];
  return (): void => {
    for (let r = 0; r < rows; r++) {
      const row = index.data[index.at + r * index.rowStride]!;
      const found = row >= 0 && row < tableRows;
      const to = out.at + r * out.rowStride;
      let from = (table.at + row * table.rowStride) | 0;
      for (let j = 0; j < width; j++) {
        out.data[(to + j) | 0] = found ? table.data[from]! : 0;
        from = (from + table.columnStride) | 0;
      }
    }
  };
}

/** The rows of each index as a linked list, so that a row of the table is summed in float64, in order, and stored once. */
export function scatterAdd(
  kernel: ScatterAddKernel,
  operands: readonly Operand[],
  rows: number,
  bound: number,
) {
  const { width } = kernel;
  const tableRows = kernel.tableRows === "steps" ? bound : kernel.tableRows;
  const [index, values, table] = operands as [Operand, Operand, Operand];
  /** First row with an index, or −1. */
  const first = new Int32Array(tableRows);
  /** The next row with a row's index, or −1. */
  const next = new Int32Array(rows);
  const sums = new Float64Array(width);
  return (): void => {
    first.fill(-1);
    for (let r = rows - 1; r >= 0; r--) {
      const row = index.data[index.at + r * index.rowStride]!;
      if (row >= 0 && row < tableRows) {
        next[r] = first[row]!;
        first[row] = r;
      }
    }
    for (let row = 0; row < tableRows; row++) {
      sums.fill(0);
      for (let r = first[row]!; r >= 0; r = next[r]!) {
        let from = (values.at + r * values.rowStride) | 0;
        for (let j = 0; j < width; j++) {
          sums[j]! += values.data[from]!;
          from = (from + values.columnStride) | 0;
        }
      }
      table.data.set(sums, table.at + row * table.rowStride);
    }
  };
}
