import { cell } from "../cell.ts";
import { neg, sigmoid, softplus } from "../expr.ts";

/**
 * minLSTM: gates that don't look at h, divided by their sum so that h keeps its scale. Feng et al. 2024, "Were RNNs all we
 * needed?". This is the paper's plain form, not the log-space one (which also makes the candidate positive);
 * the quotients are written with log σ, so that gates near 0 don't give 0/0. A trace shows them: the gates that are applied.
 */
export const minLstm = cell({
  name: "minLstm",
  state: ["h"],
  W: ["f", "i", "n"],
  b: ["f", "i", "n"],

  step({ x, h, W, b }) {
    const logF = neg(softplus(neg(W.f.dot(x).plus(b.f)))); // log σ(f̃) = −log(1 + exp(−f̃))
    const logI = neg(softplus(neg(W.i.dot(x).plus(b.i))));
    const f = sigmoid(logF.minus(logI)); // what to keep:  f / (f + i)
    const i = sigmoid(logI.minus(logF)); // what to write: i / (f + i)
    const n = W.n.dot(x).plus(b.n); //      the candidate

    return { h: f.times(h).plus(i.times(n)), f, i };
  },
});
