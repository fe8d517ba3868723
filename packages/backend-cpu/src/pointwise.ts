/**
 * The inner loops of `map`: one function over `rows` × `width` elements. A line a function, and one loop a line: V8 compiles each
 * to a tight loop, where a closure an element would cost six times as much and code made at run time isn't allowed.
 *
 * What is stored is rounded to float32; until then values are float64, as JavaScript's numbers are.
 */
import type { FunctionName } from "@recurra/core";
import { exponential, hyperbolicTangent, logistic } from "./elementary.ts";
import type { Cursor } from "./operand.ts";

export function pointwise(
  fn: FunctionName,
  out: Cursor,
  a: Cursor,
  b: Cursor,
  c: Cursor,
  rows: number,
  width: number,
): void {
  const d = out.data;
  const x = a.data;
  const y = b.data;
  const z = c.data;
  const p = a.columnStep;
  const q = b.columnStep;
  const s = c.columnStep;
  for (let r = 0; r < rows; r++) {
    let o = (out.at + r * out.rowStep) | 0;
    let i = (a.at + r * a.rowStep) | 0;
    let j = (b.at + r * b.rowStep) | 0;
    let k = (c.at + r * c.rowStep) | 0;
    const end = (o + width) | 0;
    // prettier-ignore
    switch (fn) {
      case "copy": for (; o < end; o++) { d[o] = x[i]!; i = (i + p) | 0; } break;
      case "neg": for (; o < end; o++) { d[o] = -x[i]!; i = (i + p) | 0; } break;
      case "abs": for (; o < end; o++) { d[o] = Math.abs(x[i]!); i = (i + p) | 0; } break;
      case "relu": for (; o < end; o++) { d[o] = x[i]! < 0 ? 0 : x[i]!; i = (i + p) | 0; } break;
      case "sqrt": for (; o < end; o++) { d[o] = Math.sqrt(x[i]!); i = (i + p) | 0; } break;
      case "rsqrt": for (; o < end; o++) { d[o] = 1 / Math.sqrt(x[i]!); i = (i + p) | 0; } break;
      case "reciprocal": for (; o < end; o++) { d[o] = 1 / x[i]!; i = (i + p) | 0; } break;
      case "tanh": tanhRow(d, o, x, i, p, end); break;
      case "sigmoid": sigmoidRow(d, o, x, i, p, end); break;
      case "exp": expRow(d, o, x, i, p, end); break;
      case "log": logRow(d, o, x, i, p, end); break;
      case "softplus": softplusRow(d, o, x, i, p, end); break;
      case "plus": for (; o < end; o++) { d[o] = x[i]! + y[j]!; i = (i + p) | 0; j = (j + q) | 0; } break;
      case "minus": for (; o < end; o++) { d[o] = x[i]! - y[j]!; i = (i + p) | 0; j = (j + q) | 0; } break;
      case "times": for (; o < end; o++) { d[o] = x[i]! * y[j]!; i = (i + p) | 0; j = (j + q) | 0; } break;
      case "over": for (; o < end; o++) { d[o] = x[i]! / y[j]!; i = (i + p) | 0; j = (j + q) | 0; } break;
      case "max": for (; o < end; o++) { d[o] = x[i]! < y[j]! || y[j]! !== y[j]! ? y[j]! : x[i]!; i = (i + p) | 0; j = (j + q) | 0; } break;
      case "min": for (; o < end; o++) { d[o] = y[j]! < x[i]! || y[j]! !== y[j]! ? y[j]! : x[i]!; i = (i + p) | 0; j = (j + q) | 0; } break;
      case "less": for (; o < end; o++) { d[o] = x[i]! < y[j]! ? 1 : 0; i = (i + p) | 0; j = (j + q) | 0; } break;
      case "lessEqual": for (; o < end; o++) { d[o] = x[i]! <= y[j]! ? 1 : 0; i = (i + p) | 0; j = (j + q) | 0; } break;
      case "equal": for (; o < end; o++) { d[o] = x[i]! === y[j]! ? 1 : 0; i = (i + p) | 0; j = (j + q) | 0; } break;
      case "clamp": for (; o < end; o++) { d[o] = x[i]! < y[j]! ? y[j]! : z[k]! < x[i]! ? z[k]! : x[i]!; i = (i + p) | 0; j = (j + q) | 0; k = (k + s) | 0; } break;
      case "select": for (; o < end; o++) { d[o] = x[i]! !== 0 ? y[j]! : z[k]!; i = (i + p) | 0; j = (j + q) | 0; k = (k + s) | 0; } break;
    }
  }
}

// Apart, so that each inlines its function surely: a call an element would box its numbers on the heap.

function tanhRow(
  d: Float32Array,
  from: number,
  x: Float32Array,
  at: number,
  step: number,
  end: number,
): void {
  for (let o = from, i = at; o < end; o++, i = (i + step) | 0) d[o] = hyperbolicTangent(x[i]!);
}

function sigmoidRow(
  d: Float32Array,
  from: number,
  x: Float32Array,
  at: number,
  step: number,
  end: number,
): void {
  for (let o = from, i = at; o < end; o++, i = (i + step) | 0) d[o] = logistic(x[i]!);
}

function expRow(d: Float32Array, from: number, x: Float32Array, at: number, step: number, end: number): void {
  for (let o = from, i = at; o < end; o++, i = (i + step) | 0) d[o] = exponential(x[i]!);
}

function logRow(d: Float32Array, from: number, x: Float32Array, at: number, step: number, end: number): void {
  for (let o = from, i = at; o < end; o++, i = (i + step) | 0) d[o] = Math.log(x[i]!);
}

function softplusRow(
  d: Float32Array,
  from: number,
  x: Float32Array,
  at: number,
  step: number,
  end: number,
): void {
  for (let o = from, i = at; o < end; o++, i = (i + step) | 0) {
    d[o] = Math.max(x[i]!, 0) + Math.log1p(exponential(-Math.abs(x[i]!)));
  }
}
