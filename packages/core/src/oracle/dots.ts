/** The one costly loop of the oracle: dot products of the rows of two matrices. */

/** Rows `from` to `to` of a row-major matrix. */
export interface Rows {
  readonly data: Float64Array;
  readonly width: number;
  readonly from: number;
  readonly to: number;
}

/** out(r, j) += Σ_k a(r, k) · b(j, k), where `out` is row-major and begins at element `start`. Two by two, because a lone sum waits for itself. */
export function addDots(a: Rows, b: Rows, out: Float64Array, start: number): void {
  const { data: x, width: depth } = a;
  const { data: y } = b;
  const width = b.to - b.from;
  for (let r = a.from; r < a.to; r += 2) {
    const x0 = r * depth;
    const pair = r + 1 < a.to;
    const x1 = pair ? x0 + depth : x0;
    const o0 = start + (r - a.from) * width;
    for (let j = 0; j < width; j += 2) {
      const both = j + 1 < width;
      const y0 = (b.from + j) * depth;
      const y1 = both ? y0 + depth : y0;
      let s00 = 0;
      let s01 = 0;
      let s10 = 0;
      let s11 = 0;
      for (let k = 0; k < depth; k++) {
        // No destructuring here: it costs a factor of three.
        const u0 = x[x0 + k]!;
        const u1 = x[x1 + k]!;
        const v0 = y[y0 + k]!;
        const v1 = y[y1 + k]!;
        s00 += u0 * v0;
        s01 += u0 * v1;
        s10 += u1 * v0;
        s11 += u1 * v1;
      }
      out[o0 + j]! += s00;
      if (both) out[o0 + j + 1]! += s01;
      if (pair) out[o0 + width + j]! += s10;
      if (pair && both) out[o0 + width + j + 1]! += s11;
    }
  }
}

/** Σ_k (s_k² + p_k²) of each dot product, where p_k are its terms and s_k its partial sums: what random roundings add up to. */
export function addSquares(a: Rows, b: Rows, out: Float64Array, start: number): void {
  const { data: x, width: depth } = a;
  const { data: y } = b;
  let at = start;
  for (let r = a.from; r < a.to; r++)
    for (let j = b.from; j < b.to; j++) {
      let sum = 0;
      let squares = 0;
      for (let k = 0; k < depth; k++) {
        const term = x[r * depth + k]! * y[j * depth + k]!;
        sum += term;
        squares += sum * sum + term * term;
      }
      out[at++]! += squares;
    }
}

/** Columns become rows. */
export function transpose(data: Float64Array, rows: number, width: number): Float64Array {
  const out = new Float64Array(rows * width);
  for (let r = 0; r < rows; r++) for (let j = 0; j < width; j++) out[j * rows + r] = data[r * width + j]!;
  return out;
}
