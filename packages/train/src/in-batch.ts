/** Errors say in which batch they arose. */
import { RecurraError } from "@recurra/core";

export async function inBatch<R>(name: string, act: () => Promise<R>): Promise<R> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof RecurraError)) throw error;
    throw new RecurraError(error.code, `${name}: ${error.message.replace(` (${error.code})`, "")}`);
  }
}
