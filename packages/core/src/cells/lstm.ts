import { cell } from "../cell.ts";
import { sigmoid, tanh } from "../expr.ts";

/** Long short-term memory. Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000. */
export const lstm = cell({
  name: "lstm",
  state: ["h", "c"],
  W: ["i", "f", "g", "o"],
  U: ["i", "f", "g", "o"],
  b: ["i", "f", "g", "o"],

  step({ x, h, c, W, U, b }) {
    const i = sigmoid(W.i.dot(x).plus(U.i.dot(h), b.i)); // what to write
    const f = sigmoid(W.f.dot(x).plus(U.f.dot(h), b.f)); // what to keep
    const g = tanh(W.g.dot(x).plus(U.g.dot(h), b.g)); //    the candidate
    const o = sigmoid(W.o.dot(x).plus(U.o.dot(h), b.o)); // what to show

    const cNext = f.times(c).plus(i.times(g));
    return { h: o.times(tanh(cNext)), c: cNext };
  },
});
