/**
 * Every optimizer written out in plain float64, from its paper and PyTorch's documentation: the reference that ours are held to.
 * Each is a function of all gradients so far, and returns the parameters after each step.
 */
export type Rule = (p: Float64Array, gradients: readonly Float64Array[]) => Float64Array[];

/** A case: our options, PyTorch's class and arguments, and the reference. */
export interface Case {
  readonly name: string;
  readonly options: Readonly<Record<string, number | boolean>>;
  readonly torch: readonly [
    name: string,
    options: Readonly<Record<string, number | boolean | readonly number[]>>,
  ];
  readonly rule: Rule;
}

/** Runs `element` for one element at a time, over all steps. */
const each =
  (start: () => (p: number, g: number, t: number) => number): Rule =>
  (p, gradients) => {
    const steps = gradients.map(() => new Float64Array(p.length));
    for (let i = 0; i < p.length; i++) {
      const next = start();
      let value = p[i]!;
      gradients.forEach((g, t) => (steps[t]![i] = value = next(value, g[i]!, t + 1)));
    }
    return steps;
  };

const sgd = ({ lr = 0.01, mu = 0, damp = 0, nesterov = false, wd = 0 }): Rule =>
  each(() => {
    let b = 0;
    return (p, g, t) => {
      g += wd * p;
      if (mu === 0) return p - lr * g;
      b = t > 1 ? mu * b + (1 - damp) * g : g;
      return p - lr * (nesterov ? g + mu * b : b);
    };
  });

const adam = ({
  lr = 1e-3,
  b1 = 0.9,
  b2 = 0.999,
  eps = 1e-8,
  wd = 0,
  amsgrad = false,
  decoupled = false,
}): Rule =>
  each(() => {
    let [m, v, most] = [0, 0, 0];
    return (p, g, t) => {
      if (decoupled) p -= lr * wd * p;
      else g += wd * p;
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      most = Math.max(most, v);
      const corrected = (amsgrad ? most : v) / (1 - b2 ** t);
      return p - (lr * (m / (1 - b1 ** t))) / (Math.sqrt(corrected) + eps);
    };
  });

const rmsprop = ({ lr = 0.01, a = 0.99, eps = 1e-8, wd = 0, mu = 0, centered = false }): Rule =>
  each(() => {
    let [v, mean, b] = [0, 0, 0];
    return (p, g) => {
      g += wd * p;
      v = a * v + (1 - a) * g * g;
      mean = a * mean + (1 - a) * g;
      b = mu * b + g / (Math.sqrt(centered ? v - mean * mean : v) + eps);
      return p - lr * b;
    };
  });

const adagrad = ({ lr = 0.01, decay = 0, start = 0, eps = 1e-10, wd = 0 }): Rule =>
  each(() => {
    let sum = start;
    return (p, g, t) => {
      g += wd * p;
      sum += g * g;
      return p - ((lr / (1 + (t - 1) * decay)) * g) / (Math.sqrt(sum) + eps);
    };
  });

const nadam = ({ lr = 2e-3, b1 = 0.9, b2 = 0.999, eps = 1e-8, psi = 4e-3, wd = 0 }): Rule =>
  each(() => {
    let [m, v, product] = [0, 0, 1];
    return (p, g, t) => {
      g += wd * p;
      const mu = b1 * (1 - 0.5 * 0.96 ** (t * psi));
      const muNext = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi));
      product *= mu;
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      const ahead = (muNext * m) / (1 - product * muNext) + ((1 - mu) * g) / (1 - product);
      return p - (lr * ahead) / (Math.sqrt(v / (1 - b2 ** t)) + eps);
    };
  });

const radam = ({ lr = 1e-3, b1 = 0.9, b2 = 0.999, eps = 1e-8, wd = 0 }): Rule =>
  each(() => {
    let [m, v] = [0, 0];
    const longest = 2 / (1 - b2) - 1;
    return (p, g, t) => {
      g += wd * p;
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      const mean = m / (1 - b1 ** t);
      const rho = longest - (2 * t * b2 ** t) / (1 - b2 ** t);
      if (rho <= 5) return p - lr * mean;
      const l = Math.sqrt(1 - b2 ** t) / (Math.sqrt(v) + eps);
      const r = Math.sqrt(((rho - 4) * (rho - 2) * longest) / ((longest - 4) * (longest - 2) * rho));
      return p - lr * mean * r * l;
    };
  });

const of = (name: string, options: Case["options"], torch: Case["torch"], rule: Rule): Case => ({
  name,
  options,
  torch,
  rule,
});

export const cases: readonly Case[] = [
  of("sgd", {}, ["SGD", { lr: 0.01 }], sgd({})),
  of("sgd", { learningRate: 0.05, momentum: 0.9, dampening: 0.3, weightDecay: 0.01 }, ["SGD", { lr: 0.05, momentum: 0.9, dampening: 0.3, weight_decay: 0.01 }], sgd({ lr: 0.05, mu: 0.9, damp: 0.3, wd: 0.01 })),
  of("sgd", { learningRate: 0.02, momentum: 0.8, nesterov: true }, ["SGD", { lr: 0.02, momentum: 0.8, nesterov: true }], sgd({ lr: 0.02, mu: 0.8, nesterov: true })),
  of("adam", {}, ["Adam", {}], adam({})),
  of("adam", { learningRate: 0.02, beta1: 0.8, beta2: 0.99, epsilon: 1e-4, weightDecay: 0.1, amsgrad: true }, ["Adam", { lr: 0.02, betas: [0.8, 0.99], eps: 1e-4, weight_decay: 0.1, amsgrad: true }], adam({ lr: 0.02, b1: 0.8, b2: 0.99, eps: 1e-4, wd: 0.1, amsgrad: true })),
  of("adamW", {}, ["AdamW", {}], adam({ wd: 0.01, decoupled: true })),
  of("adamW", { learningRate: 0.03, weightDecay: 0.2, amsgrad: true }, ["AdamW", { lr: 0.03, weight_decay: 0.2, amsgrad: true }], adam({ lr: 0.03, wd: 0.2, amsgrad: true, decoupled: true })),
  of("rmsprop", {}, ["RMSprop", {}], rmsprop({})),
  of("rmsprop", { learningRate: 0.004, alpha: 0.9, epsilon: 1e-3, weightDecay: 0.05, momentum: 0.7, centered: true }, ["RMSprop", { lr: 0.004, alpha: 0.9, eps: 1e-3, weight_decay: 0.05, momentum: 0.7, centered: true }], rmsprop({ lr: 0.004, a: 0.9, eps: 1e-3, wd: 0.05, mu: 0.7, centered: true })),
  of("adagrad", {}, ["Adagrad", {}], adagrad({})),
  of("adagrad", { learningRate: 0.1, learningRateDecay: 0.05, initialSum: 0.2, weightDecay: 0.02 }, ["Adagrad", { lr: 0.1, lr_decay: 0.05, initial_accumulator_value: 0.2, weight_decay: 0.02 }], adagrad({ lr: 0.1, decay: 0.05, start: 0.2, wd: 0.02 })),
  of("nadam", {}, ["NAdam", { foreach: true }], nadam({})),
  of("nadam", { learningRate: 0.01, beta1: 0.85, momentumDecay: 0.02, weightDecay: 0.03 }, ["NAdam", { foreach: true, lr: 0.01, betas: [0.85, 0.999], momentum_decay: 0.02, weight_decay: 0.03 }], nadam({ lr: 0.01, b1: 0.85, psi: 0.02, wd: 0.03 })),
  of("radam", {}, ["RAdam", {}], radam({})),
  of("radam", { learningRate: 0.02, beta2: 0.98, weightDecay: 0.03 }, ["RAdam", { lr: 0.02, betas: [0.9, 0.98], weight_decay: 0.03 }], radam({ lr: 0.02, b2: 0.98, wd: 0.03 })),
]; // prettier-ignore
