import { sqrt } from "@recurra/core";
import { average, decayed, given, positive, rate, readNumbers, share, type Optimizer } from "./optimizer.ts";

export interface RadamOptions {
  /** Default: 0.001. */
  readonly learningRate?: number;
  /** Default: 0.9. */
  readonly beta1?: number;
  /** Default: 0.999. */
  readonly beta2?: number;
  /** Above 0. Default: 1e-8. */
  readonly epsilon?: number;
  /** L2: adds weightDecay · p to the gradient. Default: 0. */
  readonly weightDecay?: number;
}

/** Adam whose adaptive rate waits until its variance is tractable, ρₜ > 5, and is rectified then. Liu et al. 2020. */
export function radam(options: RadamOptions = {}): Optimizer {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = readNumbers("radam", options, {
    learningRate: rate(0.001),
    beta1: share(0.9),
    beta2: share(0.999),
    epsilon: positive(1e-8),
    weightDecay: rate(0),
  });
  const longest = 2 / (1 - beta2) - 1;
  return {
    name: "radam",
    learningRate,
    moments: { m: 0, v: 0 },
    scalars(step, lr) {
      const power = beta2 ** step;
      const length = longest - (2 * step * power) / (1 - power);
      const mean = lr / (1 - beta1 ** step);
      if (length <= 5) return { plain: mean, adaptive: 0 };
      const rectified = ((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length);
      return { plain: 0, adaptive: mean * Math.sqrt(rectified * (1 - power)) };
    },
    update(values) {
      const p = given(values, "p");
      const g = decayed(given(values, "g"), p, weightDecay);
      const m = average(given(values, "m"), g, beta1);
      const v = average(given(values, "v"), g.times(g), beta2);
      const factor = given(values, "plain").plus(given(values, "adaptive").over(sqrt(v).plus(epsilon)));
      return { p: p.minus(m.times(factor)), m, v };
    },
  };
}
