/**
 * What is random in training depends on a seed and a position (epoch, step, …) alone, so that a checkpoint holds a position and
 * not the state of a generator. Seed and position are mixed by MurmurHash3 (Appleby 2008), since generators with seeds next to
 * each other begin alike.
 */
import type { Random } from "@recurra/core";
import { random } from "@recurra/core/internal";

/** A generator of uniform numbers in [0, 1), of its own for every position. */
export const derived = (seed: number, ...position: readonly number[]): Random => {
  const words = [seed, Math.floor(seed / 2 ** 32), ...position];
  return random(finish(words.reduce(mix, 0) ^ words.length));
};

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

const mix = (hash: number, word: number): number =>
  (Math.imul(rotate(hash ^ Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593), 13), 5) +
    0xe6546b64) |
  0;

function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

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
