/** The seeded generator gives the numbers of a known library. */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { expect, it } from "vitest";
import { random } from "../src/internal.ts";

it.each([0, 1, 2, -1, 12345, 2 ** 31, -(2 ** 31), 2 ** 40 + 7, Number.MAX_SAFE_INTEGER])(
  "seed %i: as pure-rand",
  (seed) => {
    const [own, library] = [random(seed), xoroshiro128plus(seed)];
    for (let i = 0; i < 1000; i++) expect(own()).toBe((library.next() >>> 0) / 2 ** 32);
  },
);
