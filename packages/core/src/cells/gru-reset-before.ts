import { oneMinus } from "../activations.ts";
import { cell } from "../cell.ts";
import { sigmoid, tanh } from "../expr.ts";

/**
 * Gated recurrent unit with the reset before the product. Cho et al. 2014, "Learning phrase representations using RNN
 * encoder-decoder", equations 5 to 8, with biases.
 */
export const gruResetBefore = cell({
  name: "gruResetBefore",
  state: ["h"],
  W: ["r", "z", "n"],
  U: ["r", "z", "n"],
  b: ["r", "z", "n"],

  step({ x, h, W, U, b }) {
    const r = sigmoid(W.r.dot(x).plus(U.r.dot(h), b.r)); //        the reset
    const z = sigmoid(W.z.dot(x).plus(U.z.dot(h), b.z)); //        the update: how much stays
    const n = tanh(W.n.dot(x).plus(U.n.dot(r.times(h)), b.n)); // the candidate

    return { h: z.times(h).plus(oneMinus(z).times(n)) };
  },
});
