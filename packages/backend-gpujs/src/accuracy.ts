/**
 * What this backend promises of its arithmetic. The tests measure every line of it on a software GPU. Where GPUs differ (÷, √, log) the
 * figures are those that OpenGL ES 3 asks of highp (GLSL ES 3.00, 4.5.1): 2.5 units in the last place for ÷, √ as 1 / inversesqrt, with
 * 2 for inversesqrt, 3 for log.
 */
import type { Accuracy } from "@recurra/core";

/** One rounding to float32. */
const UNIT = 2 ** -24;
/** A unit in the last place, at most. */
const ULP = 2 ** -23;

/** What is flushed to zero: all below the smallest normal. */
const TINY = 2 ** -126;

const within = (relative: number, absolute = TINY) => ({ relative, absolute });

export const accuracy: Accuracy = {
  unit: UNIT,
  accumulate: UNIT,
  functions: {
    over: within(2.5 * ULP),
    reciprocal: within(2.5 * ULP),
    sqrt: within(4.5 * ULP),
    rsqrt: within(7 * ULP),
    exp: within(2 * ULP),
    log: within(4 * ULP),
    tanh: within(4.5 * ULP),
    sigmoid: within(5 * ULP),
    softplus: within(6 * ULP),
  },
  nan: true,
  subnormals: false,
  batchExact: true,
};
