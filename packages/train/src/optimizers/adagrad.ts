import { sqrt } from "@recurra/core";
import { decayed, given, positive, rate, readNumbers, type Optimizer } from "./optimizer.ts";

export interface AdagradOptions {
  /** Default: 0.01. */
  readonly learningRate?: number;
  /** The learning rate is divided by 1 + this for each step before. Default: 0. */
  readonly learningRateDecay?: number;
  /** What the sums of squares begin with. Default: 0. */
  readonly initialSum?: number;
  /** Above 0. Default: 1e-10. */
  readonly epsilon?: number;
  /** L2: adds weightDecay · p to the gradient. Default: 0. */
  readonly weightDecay?: number;
}

/** Adagrad. Duchi, Hazan & Singer 2011: p ← p − lr · g / (√Σg² + ε). */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const { learningRate, learningRateDecay, initialSum, epsilon, weightDecay } = readNumbers(
    "adagrad",
    options,
    {
      learningRate: rate(0.01),
      learningRateDecay: rate(0),
      initialSum: rate(0),
      epsilon: positive(1e-10),
      weightDecay: rate(0),
    },
  );
  return {
    name: "adagrad",
    learningRate,
    moments: { sum: initialSum },
    scalars: (step, lr) => ({ lr: lr / (1 + (step - 1) * learningRateDecay) }),
    update(values) {
      const p = given(values, "p");
      const g = decayed(given(values, "g"), p, weightDecay);
      const sum = given(values, "sum").plus(g.times(g));
      return { p: p.minus(given(values, "lr").times(g).over(sqrt(sum).plus(epsilon))), sum };
    },
  };
}
