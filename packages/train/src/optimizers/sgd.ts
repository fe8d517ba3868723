import { checkOneOf, fail } from "@recurra/core/internal";
import { decayed, given, rate, readNumbers, type Optimizer, type Values } from "./optimizer.ts";

export interface SgdOptions {
  /** Default: 0.01. */
  readonly learningRate?: number;
  /** Default: 0. */
  readonly momentum?: number;
  /** How much of each gradient but the first the momentum leaves out. Default: 0. */
  readonly dampening?: number;
  /** Look ahead by the momentum; it needs one, and no dampening. Default: false. */
  readonly nesterov?: boolean;
  /** L2: adds weightDecay · p to the gradient. Default: 0. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent. Robbins & Monro 1951; momentum: Polyak 1964; Nesterov 1983, in the form of Sutskever et al. 2013 that PyTorch
 * documents: m ← μ m + (1 − dampening) g, m = g at the first step; p ← p − lr · m, or with Nesterov p − lr · (g + μ m).
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const who = "sgd";
  const { learningRate, momentum, dampening, weightDecay } = readNumbers(
    who,
    options,
    { learningRate: rate(0.01), momentum: rate(0), dampening: rate(0), weightDecay: rate(0) },
    ["nesterov"],
  );
  const { nesterov = false } = options;
  checkOneOf(nesterov, [true, false], `${who}: nesterov`);
  if (nesterov && (momentum === 0 || dampening !== 0))
    fail("INVALID_ARGUMENT", `${who}: nesterov: expected a momentum and no dampening`);
  return {
    name: who,
    learningRate,
    moments: momentum === 0 ? {} : { m: 0 },
    scalars: (step, lr) => ({ lr, ...(momentum !== 0 && { fresh: step === 1 ? 1 : 1 - dampening }) }),
    update(values): Values {
      const p = given(values, "p");
      const lr = given(values, "lr");
      const g = decayed(given(values, "g"), p, weightDecay);
      if (momentum === 0) return { p: p.minus(lr.times(g)) };
      const m = given(values, "m")
        .times(momentum)
        .plus(g.times(given(values, "fresh")));
      return { p: p.minus(lr.times(nesterov ? g.plus(m.times(momentum)) : m)), m };
    },
  };
}
