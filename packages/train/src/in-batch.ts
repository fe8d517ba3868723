/** Errors say in which batch they arose. */
import { RecurraError } from "@recurra/core";
import { fail } from "@recurra/core/internal";
import { checkIterable, type Data, type DataBatch } from "./data/data.ts";
import { throwIfAborted, unlessAborted, type Signal } from "./signal.ts";

export async function inBatch<R>(name: string, act: () => Promise<R>): Promise<R> {
  try {
    return await act();
  } catch (error) {
    throw named(name, error);
  }
}

/**
 * The batches of an epoch, as many as its size says, up to the signal's abort: its reason is thrown then, also while a batch is awaited that may never come.
 * @param of "epoch 3"
 */
export async function* batchesOf(
  data: Data,
  epoch: number,
  from: number,
  of: string,
  signal: Signal | undefined,
): AsyncGenerator<DataBatch> {
  const given = data.batches(epoch, from);
  checkIterable(given, `batches of ${of}`);
  const source = (async function* () {
    yield* given;
  })();
  let index = from;
  let awaited = false;
  const { size } = data;
  try {
    for (;;) {
      throwIfAborted(signal);
      awaited = true;
      const next = await unlessAborted(source.next(), signal);
      awaited = false;
      const { done = false } = next;
      if (size !== undefined && done !== (index === size))
        fail(
          "INVALID_ARGUMENT",
          done
            ? `expected one of ${size} (the data's size), got none`
            : `expected an end after ${size} batches (the data's size), got another; leave out the first ones where that's asked for`,
        );
      if (next.done) return;
      yield next.value;
      index++;
    }
  } catch (error) {
    throw named(`batch ${index} of ${of}`, error);
  } finally {
    const closed = source.return(undefined);
    // A source that is still to answer would close only then.
    if (awaited) closed.catch(() => undefined);
    else await closed;
  }
}

function named(name: string, error: unknown): unknown {
  if (!(error instanceof RecurraError)) return error;
  return new RecurraError(error.code, `${name}: ${error.message.replace(` (${error.code})`, "")}`);
}
