/** Ids, as an embedding takes them. Apart from calls and streams, so that a network without ids doesn't ship it. */
import { fail } from "./errors.ts";
import type { ReadIds } from "./network.ts";
import { kindOf } from "./tensor.ts";

const arrays = [Float32Array, Int32Array, Uint32Array, Uint16Array, Uint8Array];

/** Checks that all are whole numbers from 0 to below `count`. */
export const idsBelow =
  (count: number): ReadIds =>
  (given, who) => {
    if (!arrays.some((array) => given instanceof array))
      fail(
        "INVALID_ARGUMENT",
        `${who}: expected ids in an Int32Array, or another array of whole numbers, got ${kindOf(given)}`,
      );
    const data = given as Float32Array | Int32Array;
    for (let i = 0; i < data.length; i++) {
      const id = data[i] as number;
      if (!(Number.isInteger(id) && id >= 0 && id < count))
        fail("INVALID_ARGUMENT", `${who}: expected ids from 0 to ${count - 1}, got ${id} at ${i}`);
    }
    return data instanceof Float32Array ? data : Float32Array.from(data);
  };
