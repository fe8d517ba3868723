import { oneMinus } from "../activations.ts";
import { cell } from "../cell.ts";
import { sigmoid } from "../expr.ts";

/**
 * minGRU: neither gate nor candidate looks at h, so nearly everything runs outside the loop. Feng et al. 2024, "Were RNNs
 * all we needed?". This is the paper's plain form, not the log-space one (which also makes the candidate positive).
 */
export const minGru = cell({
  name: "minGru",
  state: ["h"],
  W: ["z", "n"],
  b: ["z", "n"],

  step({ x, h, W, b }) {
    const z = sigmoid(W.z.dot(x).plus(b.z)); // the update: how much is new
    const n = W.n.dot(x).plus(b.n); //          the candidate

    return { h: oneMinus(z).times(h).plus(z.times(n)) };
  },
});
