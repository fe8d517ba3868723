/** What a batch brings is checked before anything runs, and every error says which batch, row and step. */
import { RecurraError, type Tensor } from "@recurra/core";
import { check, fail, isRecord, sizeOf } from "@recurra/core/internal";
import type { Batch } from "./types.ts";

/** @throws NON_FINITE for a number that is to be learned from and isn't one */
export function checkBatch({ x, target, lengths }: Batch): void {
  check(isRecord(x), "input", "a tensor { shape, data }, or several by name", x);
  const inputs = "shape" in x && "data" in x ? { x } : x;
  for (const [name, tensor] of Object.entries(inputs)) checkNumbers(tensor, `input ${name}`, lengths);
  checkNumbers(target, "target", lengths);
}

function checkNumbers(tensor: unknown, who: string, lengths: ArrayLike<number> | undefined): void {
  const { shape, data } = (tensor ?? {}) as Partial<Tensor>;
  check(Array.isArray(shape) && data !== undefined, who, "a tensor { shape, data }", tensor);
  if (!(data instanceof Float32Array)) return;
  const [steps, batch] = shape.length > 2 ? (shape as [number, number]) : [1, shape[0] as number];
  const width = sizeOf(shape) / (steps * batch);
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    const step = Math.floor(i / (batch * width));
    const row = Math.floor(i / width) % batch;
    // What lies past a row's end may be anything.
    if (shape.length < 3 || !(lengths && step >= (lengths[row] as number)))
      fail(
        "NON_FINITE",
        `${who}: expected finite numbers, got ${data[i]} in row ${row}${shape.length > 2 ? ` at step ${step}` : ""}`,
      );
  }
}

/** Errors that come out of this say in which batch they arose. */
export async function inBatch<R>(name: string, act: () => Promise<R>): Promise<R> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof RecurraError)) throw error;
    throw new RecurraError(error.code, `${name}: ${error.message.replace(` (${error.code})`, "")}`);
  }
}
