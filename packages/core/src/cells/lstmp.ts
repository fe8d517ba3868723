import { matrix, type Cell } from "../cell.ts";
import { cell } from "../declare.ts";
import { sigmoid, tanh } from "../expr.ts";
import { checkOptions } from "../check.ts";

/**
 * LSTM with a recurrent projection: h = P·m is narrower than the cell, and so are U's matrices. Sak, Senior & Beaufays
 * 2014, "Long short-term memory recurrent neural network architectures for large scale acoustic modeling", without
 * peepholes (as in PyTorch's `proj_size`).
 *
 * @param projectionSize width of h, which is also the layer's output
 */
export const lstmp = (options: { readonly projectionSize: number }): Cell => {
  checkOptions(options, ["projectionSize"], "lstmp");
  const { projectionSize } = options;
  return cell({
    name: "lstmp",
    state: { h: { width: projectionSize }, c: {} },
    W: ["i", "f", "g", "o"],
    U: ["i", "f", "g", "o"],
    b: ["i", "f", "g", "o"],
    weights: { P: matrix(projectionSize, "H") },

    step({ x, h, c, W, U, b, P }) {
      const i = sigmoid(W.i.dot(x).plus(U.i.dot(h), b.i));
      const f = sigmoid(W.f.dot(x).plus(U.f.dot(h), b.f));
      const g = tanh(W.g.dot(x).plus(U.g.dot(h), b.g));
      const o = sigmoid(W.o.dot(x).plus(U.o.dot(h), b.o));

      const cNext = f.times(c).plus(i.times(g));
      const m = o.times(tanh(cNext));
      return { h: P.dot(m), c: cNext };
    },
  });
};
