/** Ids, as an embedding takes them. Apart from calls and streams, so that a network without ids doesn't ship it. */
import { kindOf } from "./check.ts";
import { fail } from "./errors.ts";
import type { ReadIds } from "./graph.ts";

/** Ids, and in a call where they lie. */
interface Given {
  readonly data?: unknown;
  readonly shape?: readonly number[];
  readonly lengths?: ArrayLike<number>;
  readonly batchFirst?: boolean;
}

/**
 * Checks that all are whole numbers from 0 to below `count`; past a row's end they may be anything, and 0 stands for them. Takes the
 * ids alone as well: streams do so at every step, so no closure and no array is made.
 */
export const idsBelow =
  (count: number): ReadIds =>
  (given, who) => {
    const { data = given } = given as Given;
    if (!(
      data instanceof Float32Array ||
      data instanceof Int32Array ||
      data instanceof Uint32Array ||
      data instanceof Uint16Array ||
      data instanceof Uint8Array
    ))
      fail(
        "INVALID_ARGUMENT",
        `${who}: expected ids in an Int32Array, or another array of whole numbers, got ${kindOf(data)}`,
      );
    let floats = data instanceof Float32Array ? data : Float32Array.from(data);
    for (let i = 0; i < data.length; i++) {
      const id = data[i] as number;
      if (Number.isInteger(id) && id >= 0 && id < count) continue;
      const place = placeOf(i, given as Given);
      if (!place?.past)
        fail(
          "INVALID_ARGUMENT",
          `${who}: expected ids from 0 to ${count - 1}, got ${id} at ${i}${place ? ` (batch row ${place.row}, step ${place.step})` : ""}`,
        );
      // What was given stays as it is.
      if (floats === data) floats = data.slice();
      floats[i] = 0;
    }
    return floats;
  };

/** Which id of a call it is, and whether it lies past its row's end. */
function placeOf(
  i: number,
  { shape, lengths, batchFirst }: Given,
): { readonly row: number; readonly step: number; readonly past: boolean } | undefined {
  const second = shape?.[1];
  if (second === undefined) return undefined;
  const [outer, inner] = [Math.floor(i / second), i % second];
  const [row, step] = batchFirst ? [outer, inner] : [inner, outer];
  // Lengths are checked later: here they may be anything.
  return { row, step, past: step >= (lengths?.[row] ?? Infinity) };
}
