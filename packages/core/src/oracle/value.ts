/** What the oracle holds of one node: a matrix of float64 rows, and what an arithmetic knows about its error. */
import type { Node } from "../graph.ts";

/** The sizes, parameters, inputs and states that a graph is evaluated for; every tensor row-major, by name. */
export interface OracleInputs {
  readonly steps: number;
  readonly batch: number;
  /** [rows, width] each. */
  readonly parameters?: Readonly<Record<string, ArrayLike<number>>>;
  /** [steps, batch, width] each, or [batch, width] for an input with one row a sequence. */
  readonly inputs?: Readonly<Record<string, ArrayLike<number>>>;
  /** [batch, width]: the state before the first step (after the last one, for a loop that walks backwards). Default: what the state declares. */
  readonly states?: Readonly<Record<string, ArrayLike<number>>>;
  /** [steps, batch, width]: the state before every step, say from a device. Such a state isn't carried: every step stands alone. */
  readonly pinned?: Readonly<Record<string, ArrayLike<number>>>;
}

/** A sum of products may be computed in any order, and joined with other sums; this is what bounds its rounding. */
export interface Sum {
  /** How many terms. */
  readonly depth: number;
  /** Σ|term| of each element. */
  readonly magnitude: Float64Array;
}

export interface Value {
  readonly rows: number;
  readonly width: number;
  /** rows · width values. */
  readonly data: Float64Array;
  /** How far a device may be off, element by element. Absent: it is exact. */
  readonly error?: Float64Array;
  readonly sum?: Sum;
}

/**
 * How errors are treated. The exact values of some rows of a node are computed first; `finish` then bounds or perturbs them.
 * Rows come in the order in which loops walk; all rows at once outside loops.
 */
export interface Arithmetic {
  /** Room for what this arithmetic tracks of a node. */
  track?(node: Node, args: readonly Value[], rows: number): Pick<Value, "error" | "sum">;
  finish?(node: Node, value: Value, args: readonly Value[], from: number, to: number): void;
}

/** Float64 as it comes. */
export const float64: Arithmetic = {};
