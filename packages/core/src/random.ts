/** The seeded generator behind initial parameters and dropout masks: xoroshiro128+ (Blackman & Vigna 2018), from the library pure-rand. */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Random } from "./initializers.ts";
import { fail } from "./errors.ts";

export function random(seed: number): Random {
  if (!Number.isSafeInteger(seed)) fail("INVALID_ARGUMENT", `seed: expected a whole number, got ${seed}`);
  const generator = xoroshiro128plus(seed);
  return () => (generator.next() >>> 0) / 2 ** 32;
}
