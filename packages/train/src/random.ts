/**
 * What is random in training depends on a seed and a position (epoch, step, …) alone, so that a checkpoint holds a position and
 * not the state of a generator.
 */
import type { Random } from "@recurra/core";
import { random } from "@recurra/core/internal";

/** A seed of its own for every position. Seeds that lie side by side must not give alike numbers: the finaliser of MurmurHash3 (Appleby 2011). */
export function mix(seed: number, position: number): number {
  let h = (seed ^ Math.imul(position, 0x9e3779b1)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** A generator of uniform numbers in [0, 1) for a position: epoch, then what lies in it. */
export const derived = (seed: number, ...position: readonly number[]): Random =>
  random(position.reduce(mix, seed));

/** A permutation of 0 … size − 1. Durstenfeld 1964, "Algorithm 235: Random permutation". */
export function shuffled(size: number, draw: Random): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    const other = order[j] as number;
    order[j] = order[i] as number;
    order[i] = other;
  }
  return order;
}
