import { sqrt } from "@recurra/core";
import { average, decayed, given, positive, rate, readNumbers, share, type Optimizer } from "./optimizer.ts";

export interface NadamOptions {
  /** Default: 0.002. */
  readonly learningRate?: number;
  /** Default: 0.9. */
  readonly beta1?: number;
  /** Default: 0.999. */
  readonly beta2?: number;
  /** Above 0. Default: 1e-8. */
  readonly epsilon?: number;
  /** ψ: how quickly the momentum grows to beta1. Default: 0.004. */
  readonly momentumDecay?: number;
  /** L2: adds weightDecay · p to the gradient. Default: 0. */
  readonly weightDecay?: number;
}

/** Adam that looks ahead as Nesterov does. Dozat 2016: μₜ = β₁ (1 − ½ · 0.96^(t ψ)), and the means are corrected by Πμ. */
export function nadam(options: NadamOptions = {}): Optimizer {
  const { learningRate, beta1, beta2, epsilon, momentumDecay, weightDecay } = readNumbers("nadam", options, {
    learningRate: rate(0.002),
    beta1: share(0.9),
    beta2: share(0.999),
    epsilon: positive(1e-8),
    momentumDecay: rate(0.004),
    weightDecay: rate(0),
  });
  const momentum = (t: number): number => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
  /** Πμ up to a step; from the last one that was asked for where that can be. */
  let [last, product] = [0, 1];
  const productTo = (step: number): number => {
    if (step < last) [last, product] = [0, 1];
    while (last < step) product *= momentum(++last);
    return product;
  };
  return {
    name: "nadam",
    learningRate,
    moments: { m: 0, v: 0 },
    scalars(step, lr) {
      const [now, next] = [momentum(step), momentum(step + 1)];
      const all = productTo(step);
      return {
        fromGradient: (lr * (1 - now)) / (1 - all),
        fromMean: (lr * next) / (1 - all * next),
        root: Math.sqrt(1 - beta2 ** step),
      };
    },
    update(values) {
      const p = given(values, "p");
      const g = decayed(given(values, "g"), p, weightDecay);
      const m = average(given(values, "m"), g, beta1);
      const v = average(given(values, "v"), g.times(g), beta2);
      const change = given(values, "fromGradient").times(g).plus(given(values, "fromMean").times(m));
      return { p: p.minus(change.over(sqrt(v).over(given(values, "root")).plus(epsilon))), m, v };
    },
  };
}
