/**
 * How panels lie. 0: one behind the other. 1: what multiplies them has one row, and those that its tile takes at a time lie abreast,
 * a k after another (engine/gemm.ts). 2: the same, four at most, so that threads can cut between tiles.
 */
export type Abreast = 0 | 1 | 2;

/** A right operand: element (k, j) at from + k · depthStride + j · columnStride. */
export interface Matrix {
  readonly from: number;
  readonly depthStride: number;
  readonly columnStride: number;
  readonly depth: number;
  readonly width: number;
  readonly abreast: Abreast;
}
