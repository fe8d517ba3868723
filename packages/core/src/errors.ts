/** The one error class. Its message says who, what was expected, what came, and what to do. */

export type ErrorCode =
  | "SHAPE_MISMATCH" // a tensor's, matrix's or vector's sizes don't fit
  | "INVALID_ARGUMENT" // a value that makes no sense here
  | "UNKNOWN_NAME" // a parameter, state, input, gate or option that doesn't exist
  | "NON_FINITE" // NaN or infinity where numbers are needed
  | "NON_FINITE_LOSS" // training gave NaN or infinity
  | "DISPOSED" // the model, stream or backend was disposed
  | "BUSY" // a call while another one is awaited
  | "OUT_OF_MEMORY"
  | "UNSUPPORTED" // this backend, or the planner, can't do it
  | "DEVICE_LOST"
  | "FILE_ERROR" // a file that can't be read or written, or isn't what it should be
  | "INTERNAL"; // a program that the verifier refuses

/** Every error that Recurra throws on purpose. */
export class RecurraError extends Error {
  override readonly name = "RecurraError";
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(`${message} (${code})`);
  }
}

export function fail(code: ErrorCode, message: string): never {
  throw new RecurraError(code, message);
}
