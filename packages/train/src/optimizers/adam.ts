import { max, sqrt } from "@recurra/core";
import { checkOneOf } from "@recurra/core/internal";
import { average, decayed, given, positive, rate, readNumbers, share, type Optimizer } from "./optimizer.ts";

export interface AdamOptions {
  /** Default: 0.001. */
  readonly learningRate?: number;
  /** Of the mean of gradients. Default: 0.9. */
  readonly beta1?: number;
  /** Of the mean of their squares. Default: 0.999. */
  readonly beta2?: number;
  /** Above 0. Default: 1e-8. */
  readonly epsilon?: number;
  /** `adam`: L2, default 0. `adamW`: what a step takes off each parameter, times the learning rate; default 0.01. */
  readonly weightDecay?: number;
  /** Divide by the largest mean so far. Reddi, Kale & Kumar 2018. Default: false. */
  readonly amsgrad?: boolean;
}

/** Adam. Kingma & Ba 2015, with ε outside the corrected root, as their algorithm 1 and PyTorch have it. */
export const adam = (options: AdamOptions = {}): Optimizer => build("adam", options, 0, false);

/** Adam with decoupled weight decay: p ← p − lr · weightDecay · p, apart from the gradient. Loshchilov & Hutter 2019. */
export const adamW = (options: AdamOptions = {}): Optimizer => build("adamW", options, 0.01, true);

function build(who: string, options: AdamOptions, decay: number, decoupled: boolean): Optimizer {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = readNumbers(
    who,
    options,
    {
      learningRate: rate(0.001),
      beta1: share(0.9),
      beta2: share(0.999),
      epsilon: positive(1e-8),
      weightDecay: rate(decay),
    },
    ["amsgrad"],
  );
  const { amsgrad = false } = options;
  checkOneOf(amsgrad, [true, false], `${who}: amsgrad`);
  return {
    name: who,
    learningRate,
    moments: { m: 0, v: 0, ...(amsgrad && { largest: 0 }) },
    scalars: (step, lr) => ({
      rate: lr / (1 - beta1 ** step),
      root: Math.sqrt(1 - beta2 ** step),
      ...(decoupled && { keep: 1 - lr * weightDecay }),
    }),
    update(values) {
      const p = given(values, "p");
      const g = decoupled ? given(values, "g") : decayed(given(values, "g"), p, weightDecay);
      const m = average(given(values, "m"), g, beta1);
      const v = average(given(values, "v"), g.times(g), beta2);
      const largest = amsgrad ? max(given(values, "largest"), v) : v;
      const divisor = sqrt(largest).over(given(values, "root")).plus(epsilon);
      const from = decoupled ? p.times(given(values, "keep")) : p;
      return {
        p: from.minus(given(values, "rate").times(m).over(divisor)),
        m,
        v,
        ...(amsgrad && { largest }),
      };
    },
  };
}
