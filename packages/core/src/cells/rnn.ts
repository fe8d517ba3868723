import { cell, type Cell } from "../cell.ts";
import { relu, tanh, type Expr } from "../expr.ts";

/** Simple recurrent network. Elman 1990, "Finding structure in time". */
const rnn = (name: string, activation: (v: Expr) => Expr): Cell =>
  cell({
    name,
    state: ["h"],
    W: ["h"],
    U: ["h"],
    b: ["h"],
    step: ({ x, h, W, U, b }) => ({ h: activation(W.h.dot(x).plus(U.h.dot(h), b.h)) }),
  });

/** Simple recurrent network with tanh. Elman 1990, "Finding structure in time". */
export const rnnTanh = /* @__PURE__ */ rnn("rnnTanh", tanh);

/** Simple recurrent network with relu; see Le, Jaitly & Hinton 2015 (an orthogonal or identity U keeps it stable). */
export const rnnRelu = /* @__PURE__ */ rnn("rnnRelu", relu);
