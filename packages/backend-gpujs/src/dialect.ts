/**
 * The pointwise functions in gpu.js's subset of JavaScript: an expression each, and helpers where that isn't enough.
 *
 * Own exp, tanh and log where GLSL's don't say what they promise, or lie: gpu.js's tanh is NaN from ±45 on and off by 1.5% near 0. They
 * are made of +, −, × and one division alone, which every GPU does alike, so that the errors measured here hold elsewhere. A NaN
 * fails every comparison and goes through arithmetic behind the last one. Nothing is asked whether it is NaN, since compilers may
 * answer as they please; and no choice between two numbers is left without a third case, since they make a maximum of it, which loses
 * a NaN.
 */
import type { FunctionName } from "@recurra/core";

type Print = (...args: string[]) => string;

const call =
  (name: string): Print =>
  (...args) =>
    `${name}(${args.join(", ")})`;

export const dialect: Readonly<Record<FunctionName, Print>> = {
  copy: (a) => a,
  neg: (a) => `(-${a})`,
  exp: call("exponential"),
  log: call("logarithm"),
  tanh: call("hyperbolicTangent"),
  sigmoid: call("logistic"),
  relu: call("rectified"),
  softplus: call("softened"),
  abs: (a) => `Math.abs(${a})`,
  sqrt: (a) => `Math.sqrt(${a})`,
  rsqrt: (a) => `(1.0 / Math.sqrt(${a}))`,
  reciprocal: (a) => `(1.0 / ${a})`,
  plus: (a, b) => `(${a} + ${b})`,
  minus: (a, b) => `(${a} - ${b})`,
  times: (a, b) => `(${a} * ${b})`,
  over: (a, b) => `(${a} / ${b})`,
  max: call("larger"),
  min: call("smaller"),
  less: call("isLess"),
  lessEqual: call("isLessEqual"),
  equal: call("isEqual"),
  clamp: call("within"),
  select: call("choose"),
};

/** ln 2 in two parts, the first of few bits: n times it is exact (Cody & Waite 1980). */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444005469057e-4;

/** The polynomial with these coefficients, lowest power first, by Horner's rule. */
const polynomial = (x: string, coefficients: readonly number[]): string =>
  coefficients
    .slice(0, -1)
    .reduceRight((inner, c) => `(${literal(c)} + ${x} * ${inner})`, literal(coefficients.at(-1) ?? 0));

/** A number that GLSL reads as a float. */
const literal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** 1/n! up to n = 7: e^r for |r| ≤ ln 2 / 2 within 6e-9. */
const EXP = [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040];

/** atanh(s)/s = Σ s²ⁿ / (2n + 1): for |s| ≤ 1/3 within 2e-9. */
const ATANH = Array.from({ length: 8 }, (_, n) => 1 / (2 * n + 1));

/** tanh x = x · P(x²) / Q(x²) up to SATURATED, within 1e-9: fitted for the CPU backend (its tools/fit-tanh.py). */
const TANH_P = [0.9999999990505007, 0.13785365280670692, 0.004008510626236729, 3.1589100848184355e-5, 5.076236428670963e-8]; // prettier-ignore
const TANH_Q = [1, 0.47118697684793337, 0.02773751805257572, 0.00042074105873044334, 1.6174885041200354e-6, 7.374463956591326e-10]; // prettier-ignore
/** From here on tanh is ±1 in float32. */
const SATURATED = 9.02;

/**
 * Functions of floats. One may call another that calls none itself: gpu.js puts functions in an order that GLSL refuses where calls go
 * deeper and the same one is called from several.
 */
export const helpers: readonly { readonly name: string; readonly source: string }[] = [
  {
    // Past the ends it returns: an x that was cut off would be the smaller of two, and of NaN and 89 that is 89.
    // 2ⁿ, for whole n from −150 to 127, is made of exact products alone: pow and exp2 are approximate on some GPUs.
    name: "exponential",
    source: `function exponential(x) {
  if (x > 89.0) { return 3.0e+38 * x; }
  if (x < -104.0) { return 0.0; }
  let n = Math.floor(x * ${literal(Math.LOG2E)} + 0.5);
  const r = (x - n * ${literal(LN2_HIGH)}) - n * ${literal(LN2_LOW)};
  let power = ${polynomial("r", EXP)};
  if (n > 127.0) { power = power * 2.0; n = n - 1.0; }
  let f1 = 2.0;
  if (n < 0.0) { f1 = 0.5; }
  const f2 = f1 * f1;
  const f4 = f2 * f2;
  const f8 = f4 * f4;
  const f16 = f8 * f8;
  const f32 = f16 * f16;
  const f64 = f32 * f32;
  let left = Math.abs(n);
  if (left >= 64.0) { power = power * f64; left = left - 64.0; }
  if (left >= 64.0) { power = power * f64; left = left - 64.0; }
  if (left >= 32.0) { power = power * f32; left = left - 32.0; }
  if (left >= 16.0) { power = power * f16; left = left - 16.0; }
  if (left >= 8.0) { power = power * f8; left = left - 8.0; }
  if (left >= 4.0) { power = power * f4; left = left - 4.0; }
  if (left >= 2.0) { power = power * f2; left = left - 2.0; }
  if (left >= 1.0) { power = power * f1; }
  return power;
}`,
  },
  {
    // 2 atanh(d / 2): halves of the smallest numbers would be flushed.
    name: "areaTangent",
    source: `function areaTangent(d) {
  const z = d * d * 0.25;
  return d * ${polynomial("z", ATANH)};
}`,
  },
  {
    // log x = 2 atanh((x − 1) / (x + 1)): exact where the result is small. GLSL's makes a number of NaN on some GPUs.
    name: "logarithm",
    source: `function logarithm(x) {
  if (x > 0.5 && x < 2.0) { return areaTangent((x - 1.0) / (0.5 * x + 0.5)); }
  if (x <= 0.5 || x >= 2.0) { return Math.log(x); }
  return x + x;
}`,
  },
  {
    name: "hyperbolicTangent",
    source: `function hyperbolicTangent(x) {
  if (x > ${SATURATED}) { return 1.0; }
  if (x < -${SATURATED}) { return -1.0; }
  const u = x * x;
  return (x * ${polynomial("u", TANH_P)}) / ${polynomial("u", TANH_Q)};
}`,
  },
  {
    // e^−|x| can't overflow, and is as exact far below 0 as above.
    name: "logistic",
    source: `function logistic(x) {
  const e = exponential(-Math.abs(x));
  if (x < 0.0) { return e / (1.0 + e); }
  return 1.0 / (1.0 + e);
}`,
  },
  {
    // max(x, 0) + log(1 + e^−|x|)
    name: "softened",
    source: `function softened(x) {
  const e = exponential(-Math.abs(x));
  const rest = areaTangent(e / (1.0 + 0.5 * e));
  if (x < 0.0) { return rest; }
  return x + rest;
}`,
  },
  {
    name: "rectified",
    source: `function rectified(x) {
  if (x > 0.0) { return x; }
  if (x <= 0.0) { return 0.0; }
  return x + x;
}`,
  },
  {
    name: "larger",
    source: `function larger(a, b) {
  if (a >= b) { return a; }
  if (a < b) { return b; }
  return a + b;
}`,
  },
  {
    name: "smaller",
    source: `function smaller(a, b) {
  if (a <= b) { return a; }
  if (a > b) { return b; }
  return a + b;
}`,
  },
  {
    name: "isLess",
    source: `function isLess(a, b) {
  if (a < b) { return 1.0; }
  return 0.0;
}`,
  },
  {
    name: "isLessEqual",
    source: `function isLessEqual(a, b) {
  if (a <= b) { return 1.0; }
  return 0.0;
}`,
  },
  {
    name: "isEqual",
    source: `function isEqual(a, b) {
  if (a === b) { return 1.0; }
  return 0.0;
}`,
  },
  {
    // A subnormal may be equal to 0 and yet be passed on as it is: at the limits, theirs.
    name: "within",
    source: `function within(x, low, high) {
  if (x <= low) { return low; }
  if (x >= high) { return high; }
  if (x > low) { return x; }
  return x + x;
}`,
  },
  {
    name: "choose",
    source: `function choose(condition, a, b) {
  if (condition === 0.0) { return b; }
  return a;
}`,
  },
];

/** A float that holds a whole number, as one. */
export const WHOLE = "function whole(x) { return x; }";
