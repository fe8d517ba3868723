/** A right operand: element (k, j) at from + k · depthStride + j · columnStride. */
export interface Matrix {
  readonly from: number;
  readonly depthStride: number;
  readonly columnStride: number;
  readonly depth: number;
  readonly width: number;
  /** Not 0: what multiplies it has one row, panels are packed as a tile of one row reads them, a k after another (engine/gemm.ts). */
  readonly abreast: number;
}
