/** ONNX's recurrent operators, and WebNN's, as cells built from their options. Equations as in ONNX's operator descriptions. */
import {
  affine,
  cell,
  clamp,
  elu,
  hardSigmoid,
  leakyRelu,
  oneMinus,
  relu,
  scaledTanh,
  sigmoid,
  softplus,
  softsign,
  tanh,
  thresholdedRelu,
  vectors,
  type Activation,
  type Cell,
  type Expr,
} from "@recurra/core";

export interface OperatorOptions {
  readonly activations: readonly Activation[];
  /** Bounds what enters every activation. */
  readonly clip?: number | undefined;
  /** LSTM: f = 1 − i. */
  readonly inputForget?: boolean;
  /** GRU: the reset comes after the product. */
  readonly linearBeforeReset?: boolean;
}

export type Operator = "LSTM" | "GRU" | "RNN";

/** The order of the gates' rows in ONNX's tensors. */
export const gateOrder = { LSTM: ["i", "o", "f", "g"], GRU: ["z", "r", "n"], RNN: ["h"] } as const;
export const peepholes = ["i", "o", "f"] as const;

/** b is the input's bias, d the recurrent one. What an operator isn't given is 0, as the specification says. */
export const operatorCell: Readonly<Record<Operator, (options: OperatorOptions) => Cell>> = {
  LSTM({ activations, clip, inputForget }) {
    const [f, g, h] = clipped(activations, 3, clip) as [Activation, Activation, Activation];
    return cell({
      name: "LSTM",
      state: ["h", "c"],
      W: gateOrder.LSTM,
      U: gateOrder.LSTM,
      b: gateOrder.LSTM,
      weights: { d: vectors(gateOrder.LSTM, "H"), p: vectors(peepholes, "H") },

      step({ x, h: hidden, c, W, U, b, d, p }) {
        const i = f(W.i.dot(x).plus(U.i.dot(hidden), p.i.times(c), b.i, d.i));
        const forget = inputForget
          ? oneMinus(i)
          : f(W.f.dot(x).plus(U.f.dot(hidden), p.f.times(c), b.f, d.f));
        const candidate = g(W.g.dot(x).plus(U.g.dot(hidden), b.g, d.g));
        const cNext = forget.times(c).plus(i.times(candidate));
        const o = f(W.o.dot(x).plus(U.o.dot(hidden), p.o.times(cNext), b.o, d.o));
        return { h: o.times(h(cNext)), c: cNext };
      },
    });
  },

  GRU({ activations, clip, linearBeforeReset }) {
    const [f, g] = clipped(activations, 2, clip) as [Activation, Activation];
    return cell({
      name: "GRU",
      state: ["h"],
      W: gateOrder.GRU,
      U: gateOrder.GRU,
      b: gateOrder.GRU,
      weights: { d: vectors(gateOrder.GRU, "H") },

      step({ x, h, W, U, b, d }) {
        const z = f(W.z.dot(x).plus(U.z.dot(h), b.z, d.z));
        const r = f(W.r.dot(x).plus(U.r.dot(h), b.r, d.r));
        const recurrent = linearBeforeReset ? r.times(U.n.dot(h).plus(d.n)) : U.n.dot(r.times(h)).plus(d.n);
        const n = g(W.n.dot(x).plus(recurrent, b.n));
        return { h: oneMinus(z).times(n).plus(z.times(h)) };
      },
    });
  },

  RNN({ activations, clip }) {
    const [f] = clipped(activations, 1, clip) as [Activation];
    return cell({
      name: "RNN",
      state: ["h"],
      W: gateOrder.RNN,
      U: gateOrder.RNN,
      b: gateOrder.RNN,
      weights: { d: vectors(gateOrder.RNN, "H") },
      step: ({ x, h, W, U, b, d }) => ({ h: f(W.h.dot(x).plus(U.h.dot(h), b.h, d.h)) }),
    });
  },
};

/** As many activations as the operator has, each bounded by `clip`. */
function clipped(activations: readonly Activation[], count: number, clip: number | undefined): Activation[] {
  if (activations.length !== count)
    throw new Error(`operator: expected ${count} activations, got ${activations.length}`);
  return activations.map((f) => (clip === undefined ? f : (v: Expr) => f(clamp(v, -clip, clip))));
}

/** By ONNX's names, in lower case, with the next of the attribute's alphas and betas. */
const named: Readonly<Record<string, (alpha: Next, beta: Next) => Activation>> = {
  relu: () => relu,
  tanh: () => tanh,
  sigmoid: () => sigmoid,
  softplus: () => softplus,
  softsign: () => softsign,
  affine: (alpha, beta) => affine({ alpha: alpha(), beta: beta() }),
  leakyrelu: (alpha) => leakyRelu({ alpha: alpha() }),
  thresholdedrelu: (alpha) => thresholdedRelu({ alpha: alpha() }),
  scaledtanh: (alpha, beta) => scaledTanh({ alpha: alpha() ?? 1, beta: beta() ?? 1 }),
  hardsigmoid: (alpha, beta) => hardSigmoid({ alpha: alpha(), beta: beta() }),
  elu: (alpha) => elu({ alpha: alpha() }),
};
type Next = () => number | undefined;

/** Activations by name. The lists of alphas and betas are used up in order, by those activations that have one. */
export function activationsOf(
  names: readonly string[],
  alphas: readonly number[] = [],
  betas: readonly number[] = [],
): Activation[] {
  const [alpha, beta] = [alphas, betas].map((list) => {
    const rest = [...list];
    return () => rest.shift();
  }) as [Next, Next];
  return names.map((name) => {
    const make = named[name.toLowerCase()];
    if (!make) throw new Error(`operator: expected an ONNX activation, got ${name}`);
    return make(alpha, beta);
  });
}
