/** `reduce`: one float64 accumulator a row, in column order. */
import type { BoundKernel, PreparedKernel, ReduceKernel, ReduceName } from "@recurra/core";
import { fail } from "./errors.ts";
import type { Memory } from "./memory.ts";
import { Operand, output, refuseOverlaps } from "./operand.ts";

export function prepareReduce(memory: Memory, { fn, width }: ReduceKernel): PreparedKernel {
  return {
    bind(rows, views) {
      const who = "cpu reduce";
      if (views.length !== 2) fail("INVALID_ARGUMENT", `${who}: expected 2 views, got ${views.length}`);
      const input = new Operand(memory, who, views[0]!, rows, width);
      const out = output(memory, who, views[1]!, rows, 1);
      refuseOverlaps(who, [input], [out], false);
      return new BoundReduce(fn, input, out);
    },
  };
}

class BoundReduce implements BoundKernel {
  constructor(
    private readonly fn: ReduceName,
    private readonly input: Operand,
    private readonly out: Operand,
  ) {}

  run(step: number): void {
    const { fn, input, out } = this;
    input.locate(step);
    out.claim(step);
    if (fn === "max") maxima(input, out);
    else sums(input, out, fn === "mean" ? input.width : 1);
  }
}

function sums(input: Operand, out: Operand, divisor: number): void {
  const { rows, width, data, columnStep } = input;
  for (let r = 0; r < rows; r++) {
    let at = (input.base + r * input.rowStep) | 0;
    let sum = 0;
    for (let j = 0; j < width; j++) {
      sum += data[at]!;
      at = (at + columnStep) | 0;
    }
    out.data[out.base + r * out.rowStep] = sum / divisor;
  }
}

/** NaN where one of the row is. */
function maxima(input: Operand, out: Operand): void {
  const { rows, width, data, columnStep } = input;
  for (let r = 0; r < rows; r++) {
    let at = (input.base + r * input.rowStep) | 0;
    let max = -Infinity;
    for (let j = 0; j < width; j++) {
      const value = data[at]!;
      if (max < value || value !== value) max = value;
      at = (at + columnStep) | 0;
    }
    out.data[out.base + r * out.rowStep] = max;
  }
}
