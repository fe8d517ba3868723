// How gates begin where something is to be remembered for long.
import type { Initializer } from "@recurra/core";

/**
 * Chrono initialisation. Tallec & Ollivier 2018, "Can recurrent neural networks warp time?": the units' memories begin spread over
 * 1 to `longest` steps, b_forget = log u with u uniform in [1, longest − 1], and what an LSTM writes begins at the complement.
 */
export function chrono(cell: "lstm" | "gru", longest: number): Readonly<Record<string, Initializer>> {
  const spread =
    (sign: number): Initializer =>
    (random, rows, columns) =>
      Float32Array.from({ length: rows * columns }, () => sign * Math.log(1 + random() * (longest - 2)));
  // The update gate of this GRU is how much stays.
  return cell === "lstm" ? { "b.f": spread(1), "b.i": spread(-1) } : { "b.z": spread(1) };
}
