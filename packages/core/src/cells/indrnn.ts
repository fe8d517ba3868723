import { cell, vector } from "../cell.ts";
import { relu } from "../expr.ts";

/**
 * Independently recurrent network: each unit sees only its own past, through the vector u. Li et al. 2018,
 * "Independently recurrent neural network (IndRNN): Building a longer and deeper RNN".
 */
export const indrnn = cell({
  name: "indrnn",
  state: ["h"],
  W: ["h"],
  b: ["h"],
  weights: { u: vector("H") },

  step: ({ x, h, W, b, u }) => ({ h: relu(W.h.dot(x).plus(u.times(h), b.h)) }),
});
