/** A right operand: element (k, j) at from + k · depthStride + j · columnStride. */
export interface Matrix {
  readonly from: number;
  readonly depthStride: number;
  readonly columnStride: number;
  readonly depth: number;
  readonly width: number;
}
