/**
 * The pointwise functions on four lanes. tanh is a rational function of degree 13 over 6; the logistic
 * function goes through it; exp and log reduce their argument and take a short series (Cody & Waite 1980).
 */
import type { FunctionName } from "@recurra/core";
import { code, V128, type Code, type Local, type NewLocals, type Value } from "./assembler.ts";
import * as v from "./instructions/v128.ts";

/**
 * tanh x = x · P(x²) / Q(x²) for |x| up to `saturated`, where it is just ±1 in either rounding; lowest power first. As
 * `fit-tanh.py 6 3` of the CPU backend's tools gives them, but for P(0), 1 so that small numbers stay what they are.
 */
const P = [1, 0.13083157, 0.0031030012, 1.1144255e-5, -2.0183965e-8, 5.257779e-11, -8.436048e-14];
const Q = [1, 0.464164837, 0.02449138, 0.0002544751];
const saturated = 8.515955;

/** What a function is emitted with. */
export interface Context {
  readonly locals: NewLocals;
  readonly madd: v.Madd;
  /** A number in all lanes, written down once a routine. */
  number(n: number): Local;
}

/** c₀ + x (c₁ + x (c₂ + …)). */
const polynomial = ({ madd, number }: Context, x: Value, coefficients: readonly number[]): Value =>
  coefficients.map<Value>((c) => number(c)).reduceRight((sum, c) => madd(sum, x, c));

function tanh(context: Context, a: Value): readonly Code[] {
  const { locals, number } = context;
  const [x, u] = locals(V128);
  return [
    x.set(v.pmax(v.pmin(a, number(saturated)), number(-saturated))),
    u.set(v.mul(x, x)),
    v.over(v.mul(polynomial(context, u, P), x), polynomial(context, u, Q)),
  ];
}

/** (1 + tanh(x / 2)) / 2 doesn't overflow, and is exactly 0 and 1 far out. */
function sigmoid(context: Context, a: Value): readonly Code[] {
  const half = context.number(0.5);
  return context.madd(tanh(context, v.mul(a, half)), half, half);
}

const LN2_HIGH = 0.693359375;
const LN2_LOW = Math.LN2 - LN2_HIGH;

/** The bits of the whole number 127, which is the exponent of 1. */
const BIAS = 127 * 2 ** -149;

/** 2ⁿ · eʳ with |r| ≤ ln 2 / 2; the power in two factors, so that subnormal and infinite results come out right. */
function exp(context: Context, a: Value): readonly Code[] {
  const { locals, madd, number } = context;
  const [x, n, r, k, power] = locals(V128);
  const scale = (i: Value): readonly Code[] => v.shiftLeftI32(v.addI32(i, number(BIAS)), 23);
  return [
    x.set(v.pmin(v.pmax(a, number(-104)), number(89))),
    n.set(v.nearest(v.mul(x, number(Math.LOG2E)))),
    r.set(madd(n, number(-LN2_LOW), madd(n, number(-LN2_HIGH), x))),
    k.set(v.toI32(n)),
    power.set(v.shiftRightI32(k, 1)),
    v.mul(
      v.mul(polynomial(context, r, [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040]), scale(power)),
      scale(v.subI32(k, power)),
    ),
  ];
}

/** log(1 + z) is 2 artanh(z / (2 + z)), by the first terms of its series; z is overwritten. */
function log1(context: Context, z: Local, terms: number): readonly Code[] {
  const { locals, number } = context;
  const [square] = locals(V128);
  const series = Array.from({ length: terms }, (_, i) => 2 / (2 * i + 1));
  return [
    z.set(v.over(z, v.add(z, number(2)))),
    square.set(v.mul(z, z)),
    v.mul(polynomial(context, square, series), z),
  ];
}

/** x = 2ᵉ · m with m from √½ to √2, and log m by its series. */
function log(context: Context, a: Value): readonly Code[] {
  const { locals, madd, number } = context;
  const [x, small, e, z] = locals(V128);
  return [
    x.set(a),
    small.set(v.less(x, number(2 ** -126))),
    x.set(v.bitSelect(v.mul(x, number(2 ** 23)), x, small)),
    // As whole numbers: what is taken off the exponent's field moves the cut to √½.
    e.set(v.shiftRightI32(v.subI32(x, number(Math.SQRT1_2)), 23)),
    z.set(v.sub(v.subI32(x, v.shiftLeftI32(e, 23)), number(1))),
    e.set(v.sub(v.fromI32(e), v.and(small, number(23)))),
    z.set(madd(e, number(LN2_HIGH), madd(e, number(LN2_LOW), log1(context, z, 6)))),
    // −∞ at 0, NaN below it, ∞ and NaN as they are.
    z.set(v.bitSelect(number(-Infinity), z, v.equal(a, number(0)))),
    z.set(v.bitSelect(number(NaN), z, v.less(a, number(0)))),
    v.bitSelect(z, a, v.less(a, number(Infinity))),
  ];
}

/** max(x, 0) + log(1 + e^−|x|). */
function softplus(context: Context, a: Value): readonly Code[] {
  const [z] = context.locals(V128);
  return [z.set(exp(context, v.neg(v.abs(a)))), v.add(log1(context, z, 9), v.pmax(a, context.number(0)))];
}

const truth = ({ number }: Context, mask: Value): readonly Code[] => v.and(mask, number(1));

/** Operands are locals, so that they may be used more than once. */
export const emitters: Readonly<
  Record<FunctionName, (context: Context, a: Local, b: Local, c: Local) => readonly Code[]>
> = {
  copy: (_, a) => [code(a)],
  neg: (_, a) => v.neg(a),
  exp,
  log,
  tanh,
  sigmoid,
  relu: ({ number }, a) => v.pmax(a, number(0)),
  softplus,
  abs: (_, a) => v.abs(a),
  sqrt: (_, a) => v.sqrt(a),
  rsqrt: ({ number }, a) => v.over(number(1), v.sqrt(a)),
  reciprocal: ({ number }, a) => v.over(number(1), a),
  plus: (_, a, b) => v.add(a, b),
  minus: (_, a, b) => v.sub(a, b),
  times: (_, a, b) => v.mul(a, b),
  over: (_, a, b) => v.over(a, b),
  max: (_, a, b) => v.max(a, b),
  min: (_, a, b) => v.min(a, b),
  less: (context, a, b) => truth(context, v.less(a, b)),
  lessEqual: (context, a, b) => truth(context, v.lessEqual(a, b)),
  equal: (context, a, b) => truth(context, v.equal(a, b)),
  clamp: (_, a, b, c) => v.pmin(v.pmax(a, b), c),
  select: ({ number }, a, b, c) => v.bitSelect(b, c, v.notEqual(a, number(0))),
};
