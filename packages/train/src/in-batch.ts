/** Errors say in which batch they arose. */
import { RecurraError } from "@recurra/core";
import { check } from "@recurra/core/internal";
import type { Data, DataBatch } from "./data/data.ts";

export async function inBatch<R>(name: string, act: () => Promise<R>): Promise<R> {
  try {
    return await act();
  } catch (error) {
    throw named(name, error);
  }
}

/** The batches of an epoch. @param of "epoch 3" */
export async function* batchesOf(
  data: Data,
  epoch: number,
  from: number,
  of: string,
): AsyncGenerator<DataBatch> {
  const given = data.batches(epoch, from);
  check(isIterable(given), `batches of ${of}`, "something to iterate", given);
  let index = from;
  try {
    for await (const batch of given) {
      yield batch;
      index++;
    }
  } catch (error) {
    throw named(`batch ${index} of ${of}`, error);
  }
}

const isIterable = (given: unknown): boolean =>
  Object(given) === given && (Symbol.iterator in Object(given) || Symbol.asyncIterator in Object(given));

function named(name: string, error: unknown): unknown {
  if (!(error instanceof RecurraError)) return error;
  return new RecurraError(error.code, `${name}: ${error.message.replace(` (${error.code})`, "")}`);
}
