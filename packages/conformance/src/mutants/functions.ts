/** Faults in the pointwise functions: a little off, clamped, overflowing, wrong about NaN. */
import { functionFault, resultFault, type Mutant } from "./mutant.ts";

const constant = (value: number) => ({ constant: value });

export const functionMutants: readonly Mutant[] = [
  functionFault("tanh", "tanh a little off", "tanh is 1e-5 too large", (emit, a) =>
    emit("times", emit("tanh", a), constant(1 + 1e-5)),
  ),
  functionFault("tanh", "tanh clamped early", "clamps tanh's operand to ±4", (emit, a) =>
    emit("tanh", emit("clamp", a, constant(-4), constant(4))),
  ),
  functionFault("sigmoid", "sigmoid clamped early", "clamps sigmoid's operand to ±8", (emit, a) =>
    emit("sigmoid", emit("clamp", a, constant(-8), constant(8))),
  ),
  functionFault("sigmoid", "sigmoid overflows", "exp(v) / (1 + exp(v)), NaN for large v", (emit, a) => {
    const e = emit("exp", a);
    return emit("over", e, emit("plus", e, constant(1)));
  }),
  functionFault("softplus", "softplus overflows", "log(1 + exp(v)), ∞ for large v", (emit, a) =>
    emit("log", emit("plus", emit("exp", a), constant(1))),
  ),
  functionFault("exp", "exp saturates", "clamps exp's operand to 30", (emit, a) =>
    emit("exp", emit("min", a, constant(30))),
  ),
  functionFault(
    "select",
    "select by arithmetic",
    "c · a + (1 − c) · b, so that what isn't chosen matters when it is NaN",
    (emit, c, a, b) => emit("plus", emit("times", c, a), emit("times", emit("minus", constant(1), c), b)),
  ),
  functionFault("relu", "relu swallows NaN", "relu(NaN) is 0", (emit, a) =>
    emit("select", emit("less", constant(0), a), a, constant(0)),
  ),
  functionFault("less", "less or equal", "less(a, a) is 1", (emit, a, b) => emit("lessEqual", a, b)),
  functionFault("clamp", "clamp without its lower limit", "clamps from above only", (emit, a, _, high) =>
    emit("min", a, high),
  ),
  functionFault(
    "over",
    "division by an approximate reciprocal",
    "the quotient is 1e-5 too small",
    (emit, a, b) => emit("times", emit("over", a, b), constant(1 - 1e-5)),
  ),
  functionFault("max", "max of absolute values", "max(|a|, b)", (emit, a, b) =>
    emit("max", emit("abs", a), b),
  ),
  resultFault(
    "subnormals flushed",
    "flushes subnormal results to zero without saying so",
    ({ kernel }, _, after) =>
      kernel.op === "map" ? after.map((v) => (Math.abs(v) < 2 ** -126 ? 0 : v)) : undefined,
  ),
];
