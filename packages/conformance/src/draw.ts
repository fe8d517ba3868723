/** Seeded random draws, so that every failure can be had again from its seed. */
import { noise } from "@recurra/core/internal";

export class Draw {
  readonly #noise: () => number;
  constructor(
    readonly seed: number,
    ...path: readonly (string | number)[]
  ) {
    let hash = seed | 0;
    for (const char of path.join("/")) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
    this.#noise = noise(hash);
  }
  /** In [0, 1). */
  unit(): number {
    return (this.#noise() + 1) / 2;
  }
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }
  /** A whole number below n. */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
  chance(probability: number): boolean {
    return this.unit() < probability;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
  /** Float32 numbers in ±scale. */
  floats(length: number, scale = 1): Float32Array {
    return Float32Array.from({ length }, () => scale * this.#noise());
  }
  shuffled<T>(of: readonly T[]): T[] {
    const list = [...of];
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j] as T, list[i] as T];
    }
    return list;
  }
}
