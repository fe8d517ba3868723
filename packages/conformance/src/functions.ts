/** What the kit knows of each pointwise function: how many operands, and where it is safe from poles and undefined results. */
import { functionValues as values, type FunctionName } from "@recurra/core/internal";

export interface Meaning {
  readonly arity: 1 | 2 | 3;
  value(a: number, b: number, c: number): number;
  /** No pole, overflow or NaN near. */
  safe(a: number, b: number, c: number): boolean;
}

const always = (): boolean => true;
const of = (fn: FunctionName, arity: 1 | 2 | 3, safe: Meaning["safe"] = always): Meaning => ({
  arity,
  value: values[fn],
  safe,
});

export const meaning: Readonly<Record<FunctionName, Meaning>> = {
  copy: of("copy", 1),
  neg: of("neg", 1),
  exp: of("exp", 1, (a) => a < 4),
  log: of("log", 1, (a) => a > 0.2),
  tanh: of("tanh", 1),
  sigmoid: of("sigmoid", 1),
  relu: of("relu", 1),
  softplus: of("softplus", 1),
  abs: of("abs", 1),
  sqrt: of("sqrt", 1, (a) => a > 0.05),
  rsqrt: of("rsqrt", 1, (a) => a > 0.05),
  reciprocal: of("reciprocal", 1, (a) => a > 0.2),
  plus: of("plus", 2),
  minus: of("minus", 2),
  times: of("times", 2),
  over: of("over", 2, (_, b) => b > 0.2),
  max: of("max", 2),
  min: of("min", 2),
  less: of("less", 2),
  lessEqual: of("lessEqual", 2),
  equal: of("equal", 2),
  clamp: of("clamp", 3, (_, low, high) => low <= high),
  select: of("select", 3),
};

export const functionNames = Object.keys(meaning) as FunctionName[];
