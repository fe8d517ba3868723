/** Tensors are `{ shape, data }`, row-major, and nothing more. */
import { check, isRecord } from "./check.ts";
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

export type Tensors = Readonly<Record<string, Tensor>>;

/** Sizes that are asked for; a word stands for any size. */
export type Shape = readonly (number | string)[];

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

const showShape = (shape: Shape): string => `[${shape.map(String).join(", ")}]`;

/** Names for a message, not too many. */
export const list = (names: Iterable<string>): string => {
  const all = [...names];
  return all.length > 12 ? `${all.slice(0, 12).join(", ")}, … (${all.length})` : all.join(", ") || "none";
};

/** Checks that something is a float32 tensor of this shape. */
export function checkTensor(tensor: unknown, expected: Shape, who: string): void {
  const { shape, data } = (tensor ?? {}) as { readonly shape?: unknown; readonly data?: unknown };
  check(Array.isArray(shape) && data !== undefined, who, "a tensor { shape, data }", tensor);
  check(
    data instanceof Float32Array,
    who,
    "data in a Float32Array",
    data,
    "; convert it with Float32Array.from(…)",
  );
  const sizes = shape as readonly number[];
  const fits = (n: number, i: number): boolean =>
    typeof expected[i] === "string" ? Number.isInteger(n) && n >= 0 : n === expected[i];
  if (sizes.length !== expected.length || !sizes.every(fits)) {
    const transposed = sizes.length === 2 && showShape([...sizes].reverse()) === showShape(expected);
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected shape ${showShape(expected)}, got ${showShape(sizes)}${transposed ? "; PyTorch and Recurra store [out, in]" : ""}`,
    );
  }
  const size = sizeOf(sizes);
  if (size !== data.length)
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected ${size} values for shape ${showShape(sizes)}, got ${data.length}`,
    );
}

/** The data of tensors by name, checked against the names there are and the shape that goes with each. */
export function readTensors<K>(
  given: Tensors,
  what: string,
  known: ReadonlyMap<string, K>,
  shapeOf: (of: K) => Shape,
): Map<string, Float32Array> {
  check(isRecord(given), `${what}s`, "tensors by name", given);
  for (const [name, tensor] of Object.entries(given)) {
    const of = known.get(name);
    if (of === undefined) fail("UNKNOWN_NAME", `${what} ${name}: expected one of ${list(known.keys())}`);
    checkTensor(tensor, shapeOf(of), `${what} ${name}`);
  }
  return new Map(Object.entries(given).map(([name, { data }]) => [name, data]));
}

/** Checks that all numbers are finite. */
export function checkFinite(data: Float32Array, who: string): void {
  // ∞ and NaN times 0 are NaN. No function is called for each of a first model's hundred thousand.
  let i = 0;
  while (i < data.length && (data[i] as number) * 0 === 0) i++;
  if (i < data.length) fail("NON_FINITE", `${who}: expected finite numbers, got ${data[i]} at ${i}`);
}

/** Columns of the rows of a wider matrix. */
export interface Columns {
  readonly column: number;
  readonly width: number;
  /** Width of the whole rows. */
  readonly stride: number;
}

/** Fill `into` with columns of rows: its row r from row `rowOf(r)`, and nothing where that is below 0. */
export function pickRows(
  from: Float32Array,
  { column, width, stride }: Columns,
  into: Float32Array,
  rowOf: (row: number) => number = same,
): Float32Array {
  if (rowOf === same && width === stride) into.set(from);
  else
    for (let r = 0, at = 0; at < into.length; r++, at += width) {
      const row = rowOf(r);
      if (row >= 0) for (let j = 0; j < width; j++) into[at + j] = from[row * stride + column + j] as number;
    }
  return into;
}

const same = (row: number): number => row;

/** Where the rows of [b, a, …] lie in [a, b, …]. */
export const swapped =
  (a: number, b: number) =>
  (row: number): number =>
    (row % a) * b + Math.floor(row / a);

/** [a, b, width] → [b, a, width]. */
export const swapAxes = (data: Float32Array, a: number, b: number, width: number): Float32Array =>
  pickRows(data, { column: 0, width, stride: width }, new Float32Array(data.length), swapped(a, b));
