// Seeded draws for the tasks that make their own data.
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A number in [0, 1). */
export type Draw = () => number;

/** The draws of these numbers: other numbers, other draws. */
export function draws(...seeds: readonly number[]): Draw {
  // FNV-1a over the numbers: neighbours are far apart.
  let hash = 0x811c9dc5;
  for (const seed of seeds) {
    for (const byte of new Uint8Array(Int32Array.of(seed).buffer)) hash = Math.imul(hash ^ byte, 0x01000193);
  }
  const generator = xoroshiro128plus(hash);
  return () => uniformFloat64(generator);
}

/** A whole number from 0 to below `count`. */
export const below = (draw: Draw, count: number): number => Math.floor(draw() * count);
