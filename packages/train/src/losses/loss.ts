/**
 * What a loss is: for every row of the network's output a number ℓ, written in the language of cells, so that its gradient is derived.
 * The loss itself is Σ weight · ℓ over the rows, and the weights make it a mean: 1 / (what it divides by) for rows that count, 0 for
 * those that are padded or ignored. They are the seed of the adjoint, and so come from the host with the target.
 */
import type { Expr, IdTensor, Tensor } from "@recurra/core";
import { fail, show, sizeOf } from "@recurra/core/internal";
import { isWholes } from "../data/rows.ts";

/** Where a loss is applied: what it may use besides the output. */
export interface LossSite {
  /** What the host gives with every batch, a row for each row of the output. */
  input(name: string, width: number): Expr;
  /** A row of fixed numbers, the same for all rows of the output. */
  row(name: string, values: Float32Array): Expr;
}

/** The rows of an output: T·B of them, or B where it has one a sequence. */
export interface Rows {
  /** 1 where the output has one row a sequence. */
  readonly steps: number;
  readonly batch: number;
  /** Of the output. */
  readonly width: number;
  /** Whether the output has a row a step. */
  readonly sequence: boolean;
  /** Whether a row lies within its sequence's length. */
  counts(row: number): boolean;
  /** "batch row 3, step 7". */
  where(row: number): string;
}

/** What the host brings for a batch. */
export interface Uploads {
  /** Of the loss's inputs, by name. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
  /** What ℓ of each row counts, before it is divided by `total`; 0 where there is no loss. */
  readonly weights: Float32Array;
  /** What the mean divides by. */
  readonly total: number;
}

export interface Loss {
  readonly name: string;
  /** ℓ, of width 1. @throws RecurraError where it doesn't fit the output */
  define(output: Expr, site: LossSite): Expr;
  /** @throws RecurraError where the target doesn't fit the output, or holds what can't be; naming the row */
  read(target: Tensor | IdTensor, rows: Rows): Uploads;
}

/** Weights of a plain mean: 1 for each row that counts and that `wanted` doesn't leave out. */
export function meanOf(rows: Rows, weightOf: (row: number) => number = () => 1): Omit<Uploads, "inputs"> {
  const weights = new Float32Array(rows.steps * rows.batch);
  let total = 0;
  for (let r = 0; r < weights.length; r++) if (rows.counts(r)) total += weights[r] = weightOf(r);
  return { weights, total };
}

/** A target's values, checked against the shape of the output without its last dimension, or with it. */
export function valuesOf(
  target: Tensor | IdTensor,
  rows: Rows,
  width: number | undefined,
  who: string,
): Float32Array | Exclude<IdTensor["data"], Float32Array> {
  const { shape, data } = (target ?? {}) as Partial<IdTensor>;
  const outer = rows.sequence ? [rows.steps, rows.batch] : [rows.batch];
  const wanted = width === undefined ? outer : [...outer, width];
  const fits = (sizes: readonly number[]): boolean =>
    Array.isArray(shape) && shape.length === sizes.length && sizes.every((n, i) => shape[i] === n);
  const names = [...(rows.sequence ? ["time"] : []), "batch", ...(width === undefined ? [] : ["features"])];
  if (!fits(wanted) && !(width === 1 && fits(outer)))
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected a target of shape [${wanted.join(", ")}] ([${names.join(", ")}], as the network's output), got ${Array.isArray(shape) ? `[${shape.join(", ")}]` : show(target)}`,
    );
  const typed = data instanceof Float32Array || (width === undefined && isWholes(data));
  if (!typed || data?.length !== sizeOf(wanted))
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected ${sizeOf(wanted)} values in ${width === undefined ? "an Int32Array or another array of whole numbers" : "a Float32Array"}, got ${data?.length ?? 0} in ${show(data)}`,
    );
  return data;
}
