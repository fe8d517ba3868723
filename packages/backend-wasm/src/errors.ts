import { RecurraError, type ErrorCode } from "@recurra/core";

export function fail(code: ErrorCode, message: string): never {
  throw new RecurraError(code, message);
}
