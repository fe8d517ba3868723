/**
 * How far a pointwise function's result can move when its operands move within their errors, apart from its own rounding.
 * Higham 2002, "Accuracy and stability of numerical algorithms", section 3.3 (running error analysis).
 */
import type { FunctionName } from "../backend.ts";
import { values } from "../functions.ts";

/** From the result y, and each operand with its error: how far y can be off. Infinity where nothing can be said. */
export type Propagate = (
  y: number,
  a: number,
  ea: number,
  b: number,
  eb: number,
  c: number,
  ec: number,
) => number;

const gap = (a: number, b: number): number => (a === b ? 0 : Math.abs(a - b));
/** An exact 0 keeps everything out, even ∞. */
const mul = (a: number, e: number): number => (e === 0 ? 0 : e === Infinity ? Infinity : Math.abs(a) * e);

const monotone = (fn: (a: number, b: number, c: number) => number): Propagate => {
  return (y, a, ea) => (ea === 0 ? 0 : Math.max(gap(fn(a + ea, 0, 0), y), gap(fn(a - ea, 0, 0), y)));
};

/** Nothing moves an exact ∞. */
const infinite = (a: number, e: number): boolean => e === 0 && (a === Infinity || a === -Infinity);
const sum: Propagate = (_, a, ea, b, eb) => (infinite(a, ea) || infinite(b, eb) ? 0 : ea + eb);
/**
 * 1 or 0, and nobody knows which while the operands' intervals meet; unless value and bound agree to the last bit: then it is
 * one value that came by two ways (a clamp that let it pass, say), and on a device too.
 */
const comparison: Propagate = (_, a, ea, b, eb) =>
  ea + eb > 0 && gap(a, b) <= ea + eb && !(a === b && ea === eb) ? 1 : 0;
const extreme = (fn: (a: number, b: number, c: number) => number): Propagate => {
  return (y, a, ea, b, eb) => Math.max(gap(fn(a + ea, b + eb, 0), y), gap(fn(a - ea, b - eb, 0), y));
};

export const propagate: Readonly<Record<FunctionName, Propagate>> = {
  copy: (_, __, ea) => ea,
  neg: (_, __, ea) => ea,
  abs: (_, __, ea) => ea,
  exp: monotone(values.exp),
  tanh: monotone(values.tanh),
  sigmoid: monotone(values.sigmoid),
  softplus: monotone(values.softplus),
  relu: monotone(values.relu),
  log: (y, a, ea) => (ea > 0 && a - ea <= 0 ? Infinity : monotone(values.log)(y, a, ea, 0, 0, 0, 0)),
  sqrt: (y, a, ea) => (ea > 0 && a - ea < 0 ? Infinity : monotone(values.sqrt)(y, a, ea, 0, 0, 0, 0)),
  rsqrt: (y, a, ea) => (ea > 0 && a - ea <= 0 ? Infinity : monotone(values.rsqrt)(y, a, ea, 0, 0, 0, 0)),
  reciprocal: (y, a, ea) => (ea === 0 ? 0 : Math.abs(a) <= ea ? Infinity : mul(y, ea) / (Math.abs(a) - ea)),
  plus: sum,
  minus: sum,
  times: (_, a, ea, b, eb) => {
    if ((infinite(a, ea) && Math.abs(b) > eb) || (infinite(b, eb) && Math.abs(a) > ea)) return 0;
    return mul(a, eb) + mul(b, ea) + mul(ea, eb);
  },
  over: (y, _, ea, b, eb) => {
    if (eb === 0) return ea === 0 ? 0 : ea / Math.abs(b);
    return Math.abs(b) <= eb ? Infinity : (ea + mul(y, eb)) / (Math.abs(b) - eb);
  },
  max: extreme(values.max),
  min: extreme(values.min),
  less: comparison,
  lessEqual: comparison,
  equal: comparison,
  clamp: (y, a, ea, low, el, high, eh) => {
    if (ea + el + eh === 0) return 0;
    if (low + el <= high - eh)
      return Math.max(
        gap(values.clamp(a + ea, low + el, high + eh), y),
        gap(values.clamp(a - ea, low - el, high - eh), y),
      );
    return Math.max(gap(a, y) + ea, gap(low, y) + el, gap(high, y) + eh);
  },
  select: (y, condition, e, a, ea, b, eb) => {
    if (e === 0 || Math.abs(condition) > e) return condition !== 0 ? ea : eb;
    return Math.max(gap(a, y) + ea, gap(b, y) + eb);
  },
};
