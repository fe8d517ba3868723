import { cell, vectors } from "../cell.ts";
import { sigmoid, tanh } from "../expr.ts";

/**
 * LSTM whose gates see the cell through peepholes p, the output gate already the new one. Gers & Schmidhuber 2000,
 * "Recurrent nets that time and count"; in the form of Graves 2013, "Generating sequences with recurrent neural
 * networks", equations 7 to 11.
 */
export const lstmPeephole = cell({
  name: "lstmPeephole",
  state: ["h", "c"],
  W: ["i", "f", "g", "o"],
  U: ["i", "f", "g", "o"],
  b: ["i", "f", "g", "o"],
  weights: { p: vectors(["i", "f", "o"], "H") },

  step({ x, h, c, W, U, b, p }) {
    const i = sigmoid(W.i.dot(x).plus(U.i.dot(h), p.i.times(c), b.i));
    const f = sigmoid(W.f.dot(x).plus(U.f.dot(h), p.f.times(c), b.f));
    const g = tanh(W.g.dot(x).plus(U.g.dot(h), b.g));
    const cNext = f.times(c).plus(i.times(g));
    const o = sigmoid(W.o.dot(x).plus(U.o.dot(h), p.o.times(cNext), b.o));

    return { h: o.times(tanh(cNext)), c: cNext };
  },
});
