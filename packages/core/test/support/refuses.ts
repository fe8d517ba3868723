/** Asserts on errors: that a call is refused with a code, by a message that says who, what was expected and what came. */
import { expect } from "vitest";
import { RecurraError, type ErrorCode } from "../../src/errors.ts";

/** For calls that no typed program would make. */
export const as = (value: unknown): never => value as never;

export function refuses(call: () => unknown, code: ErrorCode, says: RegExp): void {
  let error: unknown;
  try {
    call();
  } catch (thrown) {
    error = thrown;
  }
  expectRefusal(error, code, says);
}

/** @param error what a call has thrown, if it has */
export function expectRefusal(error: unknown, code: ErrorCode, says: RegExp): void {
  if (error === undefined) expect.fail("the call wasn't refused");
  expect(error).toBeInstanceOf(RecurraError);
  const { code: given, message } = error as RecurraError;
  expect(given, message).toBe(code);
  expect(message).toMatch(says);
  // An unknown name is in the "who".
  const got = code === "UNKNOWN_NAME" ? "" : " got [^]+";
  expect(message).toMatch(new RegExp(`^.+?: expected [^]+${got} \\(${code}\\)$`));
}
