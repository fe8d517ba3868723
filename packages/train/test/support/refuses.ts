/** Asserts on errors, as core's tests do, of calls that answer later. */
import type { ErrorCode } from "@recurra/core";
import { expect } from "vitest";
import { expectRefusal } from "../../../core/test/support/refuses.ts";

export async function refuses(call: () => unknown, code: ErrorCode, says: RegExp): Promise<void> {
  let error: unknown;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  expectRefusal(error, code, says);
  // Here all of them say what came.
  expect(String(error)).toMatch(/ got /);
}
