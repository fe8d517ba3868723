/** Tensors are `{ shape, data }`, row-major, and nothing more. */
import { fail } from "./errors.ts";

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A tensor of integer ids may come in an integer array. */
export interface IdTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

export const showShape = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** Checks that something is a float32 tensor of this shape; "?" stands for any size. */
export function checkTensor(tensor: Tensor, expected: readonly (number | string)[], who: string): void {
  const given = tensor as Partial<Tensor> | null | undefined;
  if (!given || !Array.isArray(given.shape) || given.data === undefined)
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected a tensor { shape, data }, got ${given === null ? "null" : typeof given}`,
    );
  if (!(given.data instanceof Float32Array))
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected data in a Float32Array, got ${kindOf(given.data)}; convert it with Float32Array.from(…)`,
    );
  const { shape } = tensor;
  if (
    shape.length !== expected.length ||
    shape.some(
      (n, i) => !Number.isInteger(n) || n < 0 || (typeof expected[i] === "number" && n !== expected[i]),
    )
  )
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected shape [${expected.join(", ")}], got ${showShape(shape)}${hint(shape, expected)}`,
    );
  if (sizeOf(shape) !== given.data.length)
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected ${sizeOf(shape)} values for shape ${showShape(shape)}, got ${given.data.length}`,
    );
}

export const kindOf = (value: unknown): string =>
  value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;

/** Checks that something is a record, say of tensors by name. */
export function checkRecord(value: unknown, who: string): void {
  // A Map has no names of its own to look at: it would be taken for an empty record.
  if (typeof value !== "object" || value === null || Symbol.iterator in value)
    fail("INVALID_ARGUMENT", `${who}: expected tensors by name, got ${kindOf(value)}`);
}

/** An array of zeros. @throws RecurraError OUT_OF_MEMORY */
export function floats(length: number, who: string): Float32Array {
  try {
    return new Float32Array(length);
  } catch {
    return fail("OUT_OF_MEMORY", `${who}: expected room for ${length} numbers, got too little`);
  }
}

function hint(shape: readonly number[], expected: readonly (number | string)[]): string {
  const transposed =
    shape.length === 2 &&
    expected.length === 2 &&
    shape[0] !== shape[1] &&
    shape[0] === expected[1] &&
    shape[1] === expected[0];
  return transposed ? "; PyTorch and Recurra store [out, in]" : "";
}

/** [a, b, width] → [b, a, width]. */
export function swapAxes(data: Float32Array, a: number, b: number, width: number): Float32Array {
  const swapped = new Float32Array(data.length);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let k = 0; k < width; k++)
        swapped[(j * a + i) * width + k] = data[(i * b + j) * width + k] as number;
  return swapped;
}
