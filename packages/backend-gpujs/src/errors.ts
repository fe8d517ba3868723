import { RecurraError, type ErrorCode } from "@recurra/core";

export function fail(code: ErrorCode, message: string): never {
  throw new RecurraError(code, message);
}

export const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
