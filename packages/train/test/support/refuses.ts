/** Asserts on errors: that a call is refused with a code, by a message that says who, what was expected and what came. */
import { RecurraError, type ErrorCode } from "@recurra/core";
import { expect } from "vitest";

export async function refuses(call: () => unknown, code: ErrorCode, says: RegExp): Promise<void> {
  let error: unknown;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) expect.fail("the call wasn't refused");
  expect(error).toBeInstanceOf(RecurraError);
  const { code: given, message } = error as RecurraError;
  expect(given, message).toBe(code);
  expect(message).toMatch(says);
  expect(message).toMatch(new RegExp(`^.+?: expected [^]+ got [^]+ \\(${code}\\)$`));
}
