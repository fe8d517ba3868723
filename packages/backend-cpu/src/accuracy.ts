/** What this backend promises of its arithmetic. The tests measure every line of it. */
import type { Accuracy } from "@recurra/core";
import { EXP_ERROR, TANH_ERROR } from "./elementary.ts";

/** One rounding to float32. */
const UNIT = 2 ** -24;

/** Half of the smallest subnormal: what a result may lose below 2⁻¹²⁶. */
const UNDERFLOW = 2 ** -150;

/** Of exp, and of what goes through it. */
const exponential = { relative: UNIT + EXP_ERROR, absolute: UNDERFLOW };

export const accuracy: Accuracy = {
  unit: UNIT,
  accumulate: 2 ** -53,
  functions: {
    exp: exponential,
    sigmoid: exponential,
    softplus: exponential,
    tanh: { relative: UNIT + TANH_ERROR, absolute: 0 },
  },
  nan: true,
  subnormals: true,
  batchExact: true,
};
