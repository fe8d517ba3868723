import { oneMinus } from "../activations.ts";
import { cell, vector } from "../cell.ts";
import { sigmoid, tanh } from "../expr.ts";

/**
 * Gated recurrent unit with the reset after the product, so that U·h needs no second product in a step. Cho et al. 2014,
 * "Learning phrase representations using RNN encoder-decoder", first version (arXiv 1406.1078v1); what cuDNN and PyTorch
 * compute. d is the bias inside the reset.
 */
export const gru = cell({
  name: "gru",
  state: ["h"],
  W: ["r", "z", "n"],
  U: ["r", "z", "n"],
  b: ["r", "z", "n"],
  weights: { d: vector("H") },

  step({ x, h, W, U, b, d }) {
    const r = sigmoid(W.r.dot(x).plus(U.r.dot(h), b.r)); //          the reset
    const z = sigmoid(W.z.dot(x).plus(U.z.dot(h), b.z)); //          the update: how much stays
    const n = tanh(W.n.dot(x).plus(r.times(U.n.dot(h).plus(d)), b.n)); // the candidate

    return { h: oneMinus(z).times(n).plus(z.times(h)) };
  },
});
