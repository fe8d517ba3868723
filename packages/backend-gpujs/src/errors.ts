import { RecurraError, type ErrorCode } from "@recurra/core";

export function fail(code: ErrorCode, message: string): never {
  throw new RecurraError(code, message);
}

export const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

export const disposed = (): never => fail("DISPOSED", "gpujs: the backend was disposed; open a new one");

/** @param what "context" or "device" */
export const lost = (mode: string, what: string): never =>
  fail(
    "DEVICE_LOST",
    `gpujs(${mode}): the GPU ${what} was lost, with all that was in it; dispose of this backend and open a new one`,
  );
