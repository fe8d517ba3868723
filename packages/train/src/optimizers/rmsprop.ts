import { max, sqrt } from "@recurra/core";
import { checkOneOf } from "@recurra/core/internal";
import {
  average,
  decayed,
  given,
  positive,
  rate,
  readNumbers,
  share,
  type Optimizer,
  type Values,
} from "./optimizer.ts";

export interface RmspropOptions {
  /** Default: 0.01. */
  readonly learningRate?: number;
  /** Of the mean of squares. Default: 0.99. */
  readonly alpha?: number;
  /** Above 0. Default: 1e-8. */
  readonly epsilon?: number;
  /** Default: 0. */
  readonly momentum?: number;
  /** Divide by the deviation from the mean gradient, rather than from 0. Graves 2013. Default: false. */
  readonly centered?: boolean;
  /** L2: adds weightDecay · p to the gradient. Default: 0. */
  readonly weightDecay?: number;
}

/** RMSprop. Tieleman & Hinton 2012, lecture 6.5; ε outside the root, as PyTorch has it. */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const who = "rmsprop";
  const { learningRate, alpha, epsilon, momentum, weightDecay } = readNumbers(
    who,
    options,
    {
      learningRate: rate(0.01),
      alpha: share(0.99),
      epsilon: positive(1e-8),
      momentum: rate(0),
      weightDecay: rate(0),
    },
    ["centered"],
  );
  const { centered = false } = options;
  checkOneOf(centered, [true, false], `${who}: centered`);
  return {
    name: who,
    learningRate,
    moments: { v: 0, ...(centered && { mean: 0 }), ...(momentum !== 0 && { m: 0 }) },
    scalars: (_, lr) => ({ lr }),
    update(values): Values {
      const p = given(values, "p");
      const lr = given(values, "lr");
      const g = decayed(given(values, "g"), p, weightDecay);
      const v = average(given(values, "v"), g.times(g), alpha);
      const mean = centered ? average(given(values, "mean"), g, alpha) : undefined;
      // A variance isn't negative, whatever rounding says.
      const variance = mean ? max(v.minus(mean.times(mean)), 0) : v;
      const change = g.over(sqrt(variance).plus(epsilon));
      const kept = { v, ...(mean && { mean }) };
      if (momentum === 0) return { p: p.minus(lr.times(change)), ...kept };
      const m = given(values, "m").times(momentum).plus(change);
      return { p: p.minus(lr.times(m)), ...kept, m };
    },
  };
}
