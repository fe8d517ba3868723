/**
 * The seeded generator behind initial parameters and dropout masks: xoroshiro128+ (Blackman & Vigna 2018, "Scrambled linear
 * pseudorandom number generators"). Its two words of 64 bits are held in halves, which is how far JavaScript's bits reach.
 *
 * Own, where the library pure-rand has the same: two thirds of its class are methods that nobody calls, and no bundler can
 * leave those out (docs/decisions/0004-bundle-size.md). The tests hold it to the library's numbers.
 */
import type { Random } from "./initializers.ts";
import { checkWhole } from "./check.ts";

export function random(seed: number): Random {
  checkWhole(seed, "seed", -Infinity);
  let [high0, low0, high1, low1] = [-1, ~seed, seed | 0, 0];
  return () => {
    const sum = (low0 + low1) >>> 0;
    const [high, low] = [high0 ^ high1, low0 ^ low1];
    // The first word turned by 24 bits, with `high` and `low` moved by 16; the second is those turned by 37.
    [high0, low0] = [
      (high0 << 24) ^ (low0 >>> 8) ^ high ^ (high << 16) ^ (low >>> 16),
      (low0 << 24) ^ (high0 >>> 8) ^ low ^ (low << 16),
    ];
    [high1, low1] = [(low << 5) ^ (high >>> 27), (high << 5) ^ (low >>> 27)];
    return sum / 2 ** 32;
  };
}
