/** Ids, as an embedding takes them. Apart from calls and streams, so that a network without ids doesn't ship it. */
import { kindOf } from "./check.ts";
import { fail } from "./errors.ts";
import type { ReadIds } from "./graph.ts";

/** Checks that all are whole numbers from 0 to below `count`. Streams do so at every step: no closure in it. */
export const idsBelow =
  (count: number): ReadIds =>
  (given, who) => {
    if (!(
      given instanceof Float32Array ||
      given instanceof Int32Array ||
      given instanceof Uint32Array ||
      given instanceof Uint16Array ||
      given instanceof Uint8Array
    ))
      fail(
        "INVALID_ARGUMENT",
        `${who}: expected ids in an Int32Array, or another array of whole numbers, got ${kindOf(given)}`,
      );
    for (let i = 0; i < given.length; i++) {
      const id = given[i] as number;
      if (!(Number.isInteger(id) && id >= 0 && id < count))
        fail("INVALID_ARGUMENT", `${who}: expected ids from 0 to ${count - 1}, got ${id} at ${i}`);
    }
    return given instanceof Float32Array ? given : Float32Array.from(given);
  };
