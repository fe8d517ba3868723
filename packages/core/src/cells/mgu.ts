import { oneMinus } from "../activations.ts";
import { cell } from "../cell.ts";
import { sigmoid, tanh } from "../expr.ts";

/**
 * Minimal gated unit: one gate both forgets and resets. Zhou, Wu, Zhang & Zhou 2016, "Minimal gated unit for recurrent
 * neural networks".
 */
export const mgu = cell({
  name: "mgu",
  state: ["h"],
  W: ["f", "n"],
  U: ["f", "n"],
  b: ["f", "n"],

  step({ x, h, W, U, b }) {
    const f = sigmoid(W.f.dot(x).plus(U.f.dot(h), b.f));
    const n = tanh(W.n.dot(x).plus(U.n.dot(f.times(h)), b.n)); // the candidate

    return { h: oneMinus(f).times(h).plus(f.times(n)) };
  },
});
