/** `gather` and `scatterAdd`: rows of a table by index, forward and adjoint. */
import type { BoundKernel, GatherKernel, PreparedKernel, ScatterAddKernel } from "@recurra/core";
import { fail } from "./errors.ts";
import type { Memory } from "./memory.ts";
import { Operand, output, refuseOverlaps } from "./operand.ts";

export function prepareGather(memory: Memory, { width }: GatherKernel): PreparedKernel {
  return {
    bind(rows, views, tableRows) {
      const who = "cpu gather";
      if (views.length !== 3 || tableRows === undefined) {
        fail(
          "INVALID_ARGUMENT",
          `${who}: expected 3 views and the table's rows, got ${views.length} and ${tableRows}`,
        );
      }
      const table = new Operand(memory, who, views[0]!, tableRows, width);
      const index = new Operand(memory, who, views[1]!, rows, 1);
      const out = output(memory, who, views[2]!, rows, width);
      refuseOverlaps(who, [table, index], [out], false);
      return new BoundGather(table, index, out);
    },
  };
}

class BoundGather implements BoundKernel {
  constructor(
    private readonly table: Operand,
    private readonly index: Operand,
    private readonly out: Operand,
  ) {}

  run(step: number): void {
    const { table, index, out } = this;
    table.locate(step);
    index.locate(step);
    out.claim(step);
    for (let r = 0; r < out.rows; r++) {
      const row = index.data[index.base + r * index.rowStep]!;
      const to = out.base + r * out.rowStep;
      if (row >= 0 && row < table.rows)
        copyRow(table.data, table.base + row * table.rowStep, table.columnStep, out.data, to, out.width);
      else clearRow(out.data, to, out.width);
    }
  }
}

function copyRow(
  from: Float32Array,
  at: number,
  step: number,
  to: Float32Array,
  start: number,
  width: number,
): void {
  for (let j = 0; j < width; j++) to[(start + j) | 0] = from[(at + j * step) | 0]!;
}

function clearRow(to: Float32Array, start: number, width: number): void {
  for (let j = 0; j < width; j++) to[(start + j) | 0] = 0;
}

export function prepareScatterAdd(memory: Memory, kernel: ScatterAddKernel): PreparedKernel {
  const { width } = kernel;
  return {
    bind(rows, views, bound) {
      const who = "cpu scatterAdd";
      const tableRows = kernel.tableRows === "steps" ? bound : kernel.tableRows;
      if (views.length !== 3 || tableRows === undefined) {
        fail(
          "INVALID_ARGUMENT",
          `${who}: expected 3 views and the table's rows, got ${views.length} and ${tableRows}`,
        );
      }
      const index = new Operand(memory, who, views[0]!, rows, 1);
      const values = new Operand(memory, who, views[1]!, rows, width);
      const table = output(memory, who, views[2]!, tableRows, width);
      refuseOverlaps(who, [index, values], [table], false);
      return new BoundScatterAdd(index, values, table);
    },
  };
}

/** The rows of each index as a linked list, so that a row of the table is summed in float64, in order, and stored once. */
class BoundScatterAdd implements BoundKernel {
  /** First row with an index, or −1. */
  private readonly first: Int32Array;
  /** The next row with a row's index, or −1. */
  private readonly next: Int32Array;
  private readonly sums: Float64Array;

  constructor(
    private readonly index: Operand,
    private readonly values: Operand,
    private readonly table: Operand,
  ) {
    this.first = new Int32Array(table.rows);
    this.next = new Int32Array(index.rows);
    this.sums = new Float64Array(table.width);
  }

  run(step: number): void {
    const { index, values, table, first, next } = this;
    index.locate(step);
    values.locate(step);
    table.claim(step);
    first.fill(-1);
    for (let r = index.rows - 1; r >= 0; r--) {
      const row = index.data[index.base + r * index.rowStep]!;
      if (row >= 0 && row < table.rows) {
        next[r] = first[row]!;
        first[row] = r;
      }
    }
    for (let row = 0; row < table.rows; row++) this.sumRow(row);
  }

  private sumRow(row: number): void {
    const { values, table, sums, first, next } = this;
    const to = table.base + row * table.rowStep;
    if (first[row]! < 0) {
      clearRow(table.data, to, table.width);
      return;
    }
    sums.fill(0);
    for (let r = first[row]!; r >= 0; r = next[r]!) {
      let at = (values.base + r * values.rowStep) | 0;
      for (let j = 0; j < sums.length; j++) {
        sums[j]! += values.data[at]!;
        at = (at + values.columnStep) | 0;
      }
    }
    for (let j = 0; j < sums.length; j++) table.data[(to + j) | 0] = sums[j]!;
  }
}
