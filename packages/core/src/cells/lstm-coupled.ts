import { oneMinus } from "../activations.ts";
import { cell } from "../cell.ts";
import { sigmoid, tanh } from "../expr.ts";

/**
 * LSTM with coupled input and forget gate: what is written replaces what is forgotten, f = 1 − i. The CIFG variant of
 * Greff et al. 2017, "LSTM: A search space odyssey", without peepholes.
 */
export const lstmCoupled = cell({
  name: "lstmCoupled",
  state: ["h", "c"],
  W: ["i", "g", "o"],
  U: ["i", "g", "o"],
  b: ["i", "g", "o"],

  step({ x, h, c, W, U, b }) {
    const i = sigmoid(W.i.dot(x).plus(U.i.dot(h), b.i));
    const f = oneMinus(i);
    const g = tanh(W.g.dot(x).plus(U.g.dot(h), b.g));
    const o = sigmoid(W.o.dot(x).plus(U.o.dot(h), b.o));

    const cNext = f.times(c).plus(i.times(g));
    return { h: o.times(tanh(cNext)), c: cNext, f };
  },
});
