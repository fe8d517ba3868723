/**
 * The inner loops of `map`: one function over a row. Each is a function of its own, so that V8 compiles it to a tight loop and surely
 * inlines what it calls: a closure an element would cost six times as much, a call an element would box its numbers on the heap, and
 * code made at run time isn't allowed. `| 0` tells V8 once, not an element, that an argument is a whole number: 4% of a sigmoid.
 *
 * What is stored is rounded to float32; until then values are float64, as JavaScript's numbers are.
 */
import type { FunctionName } from "@recurra/core";
import { exponential, hyperbolicTangent, logistic } from "./elementary.ts";

/** From `o` to `end` in `d`; arguments from `i`, `j` and `k` in steps of `p`, `q` and `s`. */
export type Loop = (
  d: Float32Array, o: number, end: number,
  x: Float32Array, i: number, p: number,
  y: Float32Array, j: number, q: number,
  z: Float32Array, k: number, s: number,
) => void; // prettier-ignore

// prettier-ignore
export const loops: Readonly<Record<FunctionName, Loop>> = {
  copy(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = x[i]!; },
  neg(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = -x[i]!; },
  abs(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = Math.abs(x[i]!); },
  relu(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = x[i]! < 0 ? 0 : x[i]!; },
  sqrt(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = Math.sqrt(x[i]!); },
  rsqrt(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = 1 / Math.sqrt(x[i]!); },
  reciprocal(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = 1 / x[i]!; },
  tanh(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = hyperbolicTangent(x[i]!); },
  sigmoid(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = logistic(x[i]!); },
  exp(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = exponential(x[i]!); },
  log(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = Math.log(x[i]!); },
  softplus(d, o, end, x, i, p) { for (o |= 0, end |= 0, p |= 0, i |= 0; o < end; o++, i = (i + p) | 0) d[o] = Math.max(x[i]!, 0) + Math.log1p(exponential(-Math.abs(x[i]!))); },
  plus(d, o, end, x, i, p, y, j, q) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0) d[o] = x[i]! + y[j]!; },
  minus(d, o, end, x, i, p, y, j, q) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0) d[o] = x[i]! - y[j]!; },
  times(d, o, end, x, i, p, y, j, q) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0) d[o] = x[i]! * y[j]!; },
  over(d, o, end, x, i, p, y, j, q) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0) d[o] = x[i]! / y[j]!; },
  max(d, o, end, x, i, p, y, j, q) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0) d[o] = x[i]! < y[j]! || y[j]! !== y[j]! ? y[j]! : x[i]!; },
  min(d, o, end, x, i, p, y, j, q) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0) d[o] = y[j]! < x[i]! || y[j]! !== y[j]! ? y[j]! : x[i]!; },
  less(d, o, end, x, i, p, y, j, q) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0) d[o] = x[i]! < y[j]! ? 1 : 0; },
  lessEqual(d, o, end, x, i, p, y, j, q) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0) d[o] = x[i]! <= y[j]! ? 1 : 0; },
  equal(d, o, end, x, i, p, y, j, q) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0) d[o] = x[i]! === y[j]! ? 1 : 0; },
  clamp(d, o, end, x, i, p, y, j, q, z, k, s) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0, k |= 0, s |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0, k = (k + s) | 0) d[o] = x[i]! < y[j]! ? y[j]! : z[k]! < x[i]! ? z[k]! : x[i]!; },
  select(d, o, end, x, i, p, y, j, q, z, k, s) { for (o |= 0, end |= 0, p |= 0, i |= 0, j |= 0, q |= 0, k |= 0, s |= 0; o < end; o++, i = (i + p) | 0, j = (j + q) | 0, k = (k + s) | 0) d[o] = x[i]! !== 0 ? y[j]! : z[k]!; },
};
