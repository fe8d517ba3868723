/**
 * The pointwise functions, one record each: what it means in float64 (`values`) and, beside it, its derivative as more graph
 * (`derivatives`). Apart, so that a page that only infers ships neither.
 */
import type { FunctionName } from "./backend.ts";
import { apply, less, neg, select, sigmoid, type Expr } from "./expr.ts";

/** The exact meaning of each function; the oracle computes with these. */
export const values: Readonly<Record<FunctionName, (a: number, b: number, c: number) => number>> = {
  copy: (a) => a,
  neg: (a) => -a,
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sigmoid: (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a))),
  relu: (a) => (a < 0 ? 0 : a),
  softplus: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
  abs: Math.abs,
  sqrt: Math.sqrt,
  rsqrt: (a) => 1 / Math.sqrt(a),
  reciprocal: (a) => 1 / a,
  plus: (a, b) => a + b,
  minus: (a, b) => a - b,
  times: (a, b) => a * b,
  over: (a, b) => a / b,
  max: (a, b) => (a < b || b !== b ? b : a),
  min: (a, b) => (b < a || b !== b ? b : a),
  less: (a, b) => (a < b ? 1 : 0),
  lessEqual: (a, b) => (a <= b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
  clamp: (a, low, high) => (a < low ? low : high < a ? high : a),
  select: (condition, a, b) => (condition !== 0 ? a : b),
};

/**
 * From y = fn(a, b, c) and δ = ∂L/∂y: ∂L/∂a, ∂L/∂b, ∂L/∂c (undefined where nothing flows). At a kink either side is right;
 * ties go to the first argument.
 */
type Derivative = (d: Expr, y: Expr, a: Expr, b: Expr, c: Expr) => readonly (Expr | undefined)[];

/** Comparisons have none: nothing flows through them. */
export const derivatives: Readonly<Partial<Record<FunctionName, Derivative>>> = {
  copy: (d) => [d],
  neg: (d) => [neg(d)],
  exp: (d, y) => [d.times(y)],
  log: (d, _, a) => [d.over(a)],
  tanh: (d, y) => [d.times(apply("minus", 1, y.times(y)))],
  sigmoid: (d, y) => [d.times(y.times(apply("minus", 1, y)))],
  relu: (d, _, a) => [select(less(a, 0), 0, d)],
  softplus: (d, _, a) => [d.times(sigmoid(a))],
  abs: (d, _, a) => [select(less(a, 0), neg(d), d)],
  sqrt: (d, y) => [d.over(y.plus(y))],
  rsqrt: (d, y) => [d.times(y.times(y.times(y)).times(-0.5))],
  reciprocal: (d, y) => [neg(d.times(y.times(y)))],
  plus: (d) => [d, d],
  minus: (d) => [d, neg(d)],
  times: (d, _, a, b) => [d.times(b), d.times(a)],
  over(d, y, _, b) {
    const first = d.over(b);
    return [first, neg(first.times(y))];
  },
  max: (d, _, a, b) => choose(less(a, b), d),
  min: (d, _, a, b) => choose(less(b, a), d),
  clamp(d, _, a, low, high) {
    const [below, above] = [less(a, low), less(high, a)];
    const [rest, toLow] = choose(below, d);
    return [select(above, 0, rest), toLow, select(below, 0, select(above, d, 0))];
  },
  select: (d, _, condition) => [undefined, ...choose(condition, d).reverse()],
};

/** δ to the second argument where `second` holds, else to the first. */
const choose = (second: Expr, d: Expr): [Expr, Expr] => [select(second, 0, d), select(second, d, 0)];
