/**
 * About how long a launch takes, in ns: to decide whether sharing it out pays. Estimates for one core of 4 GHz with baseline SIMD,
 * from what whole workloads take; a slower core is slower at barriers, too.
 */
import type { FunctionName } from "@recurra/core";
import type { Bound } from "../launch.ts";
import { fixedRows } from "../simple.ts";

/** Meeting at a barrier, where everybody has a core. */
export const BARRIER = 300;
/** Giving workers a command and hearing from them, where they are awake. */
export const COMMAND = 5000;
/** Sleeping at a barrier, where another process has the core. */
export const SLEEP = 25_000;
/** Of every launch. */
const CALL = 25;
/** Of a vector of four numbers. */
const LONG: Partial<Record<FunctionName, number>> = { tanh: 8, sigmoid: 8, exp: 6, log: 8, softplus: 12, sqrt: 2, rsqrt: 3, over: 2, reciprocal: 2 }; // prettier-ignore
const SHORT = 0.4;

export function cost({ kernel, most, units: [unit, end] = [1, 1] }: Bound): number {
  const { width } = kernel;
  switch (kernel.op) {
    case "gemm": {
      const { depth } = kernel.terms[0]!;
      const rows = fixedRows(kernel) || most;
      const left = rows * (depth === "rows" ? most : depth);
      // A multiply and an add, at 50 a ns; packing the left operand.
      return CALL + (left * width * (end / unit)) / 25 + (rows > 1 ? left * 0.4 : 0);
    }
    case "map": {
      const vector = kernel.instructions.reduce((sum, { fn }) => sum + (LONG[fn] ?? SHORT), 1);
      return CALL + most * Math.ceil(width / 4) * vector;
    }
    case "reduce":
      return CALL + most * width;
    case "gather":
    case "scatterAdd":
      return CALL + most * width * 0.5;
  }
}
