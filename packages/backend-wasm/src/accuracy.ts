/** What this backend promises of its arithmetic. The tests measure every line of it. */
import type { Accuracy } from "@recurra/core";

/** One rounding to float32. */
const UNIT = 2 ** -24;
/** Half of the smallest subnormal: what a result may lose below 2⁻¹²⁶. */
const UNDERFLOW = 2 ** -150;

export const accuracy: Accuracy = {
  unit: UNIT,
  accumulate: UNIT,
  functions: {
    exp: { relative: 3 * UNIT, absolute: UNDERFLOW },
    log: { relative: 4 * UNIT, absolute: UNDERFLOW },
    sigmoid: { relative: 0, absolute: 4 * UNIT },
    // Twice a subnormal number, of which each has been rounded.
    softplus: { relative: 6 * UNIT, absolute: 4 * UNDERFLOW },
    tanh: { relative: 7 * UNIT, absolute: UNDERFLOW },
    rsqrt: { relative: 2 * UNIT, absolute: 0 },
  },
  nan: true,
  subnormals: true,
  batchExact: true,
};
