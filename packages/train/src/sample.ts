/** Choosing an id by a network's logits: temperature, the k likeliest, or the nucleus (Holtzman et al. 2020). */
import type { Random } from "@recurra/core";
import { check, checkOptions, checkWhole, fail } from "@recurra/core/internal";
import { checkNumber } from "./numbers.ts";

export interface SampleOptions {
  /** Logits are divided by it: below 1 the likely gets likelier; 0 always takes the likeliest. Default: 1. */
  readonly temperature?: number;
  /** Only the so many likeliest ids. */
  readonly topK?: number;
  /** Only the likeliest ids that together have at least this probability. */
  readonly topP?: number;
}

export const sampleOptions = ["temperature", "topK", "topP"] as const;

export function checkSampling({ temperature = 1, topK = 1, topP = 1 }: SampleOptions, who: string): void {
  checkNumber(temperature, `${who}: temperature`);
  checkWhole(topK, `${who}: topK`);
  check(typeof topP === "number" && topP > 0 && topP <= 1, `${who}: topP`, "a probability above 0", topP);
}

/** @throws NON_FINITE where they make no probabilities: of NaN, Infinity, or nothing that can be */
export function checkLogits(logits: ArrayLike<number>, who: string): void {
  check(logits?.length > 0, who, "logits of at least one id", logits?.length);
  let possible = false;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (!(logit < Infinity))
      fail("NON_FINITE", `${who}: expected logits below Infinity, got ${logit} of id ${id}`);
    possible ||= logit > -Infinity;
  }
  if (!possible) fail("NON_FINITE", `${who}: expected a logit above -Infinity, got none of ${logits.length}`);
}

/** An id, with the probability that the logits give it. Among equals the lower id comes first. */
export function sample(logits: ArrayLike<number>, draw: Random, options: SampleOptions = {}): number {
  checkOptions(options, sampleOptions, "sample");
  checkSampling(options, "sample");
  const { temperature = 1, topK = Infinity, topP = 1 } = options;
  check(typeof draw === "function", "sample: draw", "a function", draw);
  checkLogits(logits, "sample");
  // Stable: of equals the lower id stays before.
  const ids = Array.from(logits, (_, id) => id).sort((a, b) => (logits[b] as number) - (logits[a] as number));
  const first = ids[0] as number;
  if (temperature === 0) return first;
  const likely = ids.slice(0, topK);
  const shares = likely.map((id) =>
    Math.exp(((logits[id] as number) - (logits[first] as number)) / temperature),
  );
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const within = topP * sum(shares);
  let count = 0;
  for (let reached = 0; reached < within && count < shares.length; count++)
    reached += shares[count] as number;

  let left = draw() * sum(shares.slice(0, count));
  for (let i = 0; i < count; i++) {
    left -= shares[i] as number;
    if (left < 0) return likely[i] as number;
  }
  return likely[count - 1] as number;
}
