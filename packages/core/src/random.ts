/** The seeded generator behind initial parameters and dropout masks: xoroshiro128+ (Blackman & Vigna 2018), from the library pure-rand. */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Random } from "./initializers.ts";
import { checkWhole } from "./check.ts";

export function random(seed: number): Random {
  checkWhole(seed, "seed", -Infinity);
  const generator = xoroshiro128plus(seed);
  return () => (generator.next() >>> 0) / 2 ** 32;
}
