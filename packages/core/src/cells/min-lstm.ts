import { cell } from "../cell.ts";
import { sigmoid } from "../expr.ts";

/**
 * minLSTM: gates that don't look at h, divided by their sum so that h keeps its scale. Feng et al. 2024, "Were RNNs all we
 * needed?". This is the paper's plain form, not the log-space one (which also makes the candidate positive).
 */
export const minLstm = cell({
  name: "minLstm",
  state: ["h"],
  W: ["f", "i", "n"],
  b: ["f", "i", "n"],

  step({ x, h, W, b }) {
    const f = sigmoid(W.f.dot(x).plus(b.f)); // what to keep
    const i = sigmoid(W.i.dot(x).plus(b.i)); // what to write
    const n = W.n.dot(x).plus(b.n); //          the candidate

    const sum = f.plus(i);
    return { h: f.over(sum).times(h).plus(i.over(sum).times(n)) };
  },
});
