/** `reduce`: one float64 accumulator a row, in column order; of a maximum, NaN where one of the row is. */
import type { ReduceKernel } from "@recurra/core";
import type { Operand } from "./operand.ts";

export function reduce({ fn, width }: ReduceKernel, operands: readonly Operand[], rows: number) {
  const [input, out] = operands as [Operand, Operand];
  const max = fn === "max";
  const divisor = fn === "mean" ? width : 1;
  return (): void => {
    const { data, columnStride } = input;
    for (let r = 0; r < rows; r++) {
      let at = (input.at + r * input.rowStride) | 0;
      let result = max ? -Infinity : 0;
      for (let j = 0; j < width; j++) {
        const value = data[at]!;
        if (!max) result += value;
        else if (result < value || value !== value) result = value;
        at = (at + columnStride) | 0;
      }
      out.data[out.at + r * out.rowStride] = result / divisor;
    }
  };
}
