/**
 * The inner loops of `gemm`: they add products to `sums`, each result in its own float64 accumulator and in the order of k, so
 * that every path gives the same bits.
 *
 * Their operands lie in constant arrays of fixed length: V8 then knows address and length while it compiles, and one check of k
 * serves all columns of a tile. That makes them three times as fast. The arrays are constants of a function, because bundlers turn
 * those of a module into variables. More than six accumulators would spill.
 */

/** Columns of a tile. */
export const TILE = 6;
/** Terms of a sum that are done before the tile moves on: six columns of them fit the first cache. */
export const DEPTH = 512;
/** Room for the rows of a block and for its results: each half of a usual second cache. */
export const ROOM = 1 << 16;

export const { loadLeft, loadColumns, tile, panelTile, clearSums, loadSums, storeSums } = makeTiles();

function makeTiles() {
  /** op(A), [rows, depth]. */
  const left = new Float64Array(ROOM);
  /** op(B), a column each. */
  const column0 = new Float64Array(DEPTH);
  const column1 = new Float64Array(DEPTH);
  const column2 = new Float64Array(DEPTH);
  const column3 = new Float64Array(DEPTH);
  const column4 = new Float64Array(DEPTH);
  const column5 = new Float64Array(DEPTH);
  /** Results so far, [rows, columns], a row's columns rounded up to whole tiles. */
  const sums = new Float64Array(ROOM);

  /** left[to + i] = data[at + i · step] */
  function loadLeft(to: number, data: Float32Array, at: number, step: number, count: number): void {
    let p = at | 0;
    for (let i = 0; i < count; i++) {
      left[(to + i) | 0] = data[p]!;
      p = (p + step) | 0;
    }
  }

  /** The six columns from `at`; of fewer, the last is repeated, and what comes of it is never stored. */
  function loadColumns(
    data: Float32Array,
    at: number,
    columnStep: number,
    step: number,
    columns: number,
    depth: number,
  ): void {
    const last = columns - 1;
    let p0 = at | 0;
    let p1 = (at + columnStep * Math.min(1, last)) | 0;
    let p2 = (at + columnStep * Math.min(2, last)) | 0;
    let p3 = (at + columnStep * Math.min(3, last)) | 0;
    let p4 = (at + columnStep * Math.min(4, last)) | 0;
    let p5 = (at + columnStep * Math.min(5, last)) | 0;
    for (let k = 0; k < depth; k++) {
      column0[k] = data[p0]!;
      column1[k] = data[p1]!;
      column2[k] = data[p2]!;
      column3[k] = data[p3]!;
      column4[k] = data[p4]!;
      column5[k] = data[p5]!;
      p0 = (p0 + step) | 0;
      p1 = (p1 + step) | 0;
      p2 = (p2 + step) | 0;
      p3 = (p3 + step) | 0;
      p4 = (p4 + step) | 0;
      p5 = (p5 + step) | 0;
    }
  }

  /** One row of `left` by the six loaded columns. */
  function tile(row: number, depth: number, to: number): void {
    let s0 = sums[to]!;
    let s1 = sums[to + 1]!;
    let s2 = sums[to + 2]!;
    let s3 = sums[to + 3]!;
    let s4 = sums[to + 4]!;
    let s5 = sums[to + 5]!;
    let p = row | 0;
    for (let k = 0; k < depth; k++) {
      const x = left[p]!;
      s0 += x * column0[k]!;
      s1 += x * column1[k]!;
      s2 += x * column2[k]!;
      s3 += x * column3[k]!;
      s4 += x * column4[k]!;
      s5 += x * column5[k]!;
      p = (p + 1) | 0;
    }
    sums[to] = s0;
    sums[to + 1] = s1;
    sums[to + 2] = s2;
    sums[to + 3] = s3;
    sums[to + 4] = s4;
    sums[to + 5] = s5;
  }

  /** As `tile`, by a kept panel: [depth, six columns] from `at`. */
  function panelTile(panel: readonly number[], at: number, row: number, depth: number, to: number): void {
    let s0 = sums[to]!;
    let s1 = sums[to + 1]!;
    let s2 = sums[to + 2]!;
    let s3 = sums[to + 3]!;
    let s4 = sums[to + 4]!;
    let s5 = sums[to + 5]!;
    let p = at | 0;
    const end = (row + depth) | 0;
    for (let k = row | 0; k < end; k++) {
      const x = left[k]!;
      s0 += x * panel[p]!;
      s1 += x * panel[(p + 1) | 0]!;
      s2 += x * panel[(p + 2) | 0]!;
      s3 += x * panel[(p + 3) | 0]!;
      s4 += x * panel[(p + 4) | 0]!;
      s5 += x * panel[(p + 5) | 0]!;
      p = (p + 6) | 0;
    }
    sums[to] = s0;
    sums[to + 1] = s1;
    sums[to + 2] = s2;
    sums[to + 3] = s3;
    sums[to + 4] = s4;
    sums[to + 5] = s5;
  }

  function clearSums(to: number, columns: number): void {
    for (let j = 0; j < columns; j++) sums[(to + j) | 0] = 0;
  }

  /** The addend's row. */
  function loadSums(to: number, data: Float32Array, at: number, step: number, columns: number): void {
    let p = at | 0;
    for (let j = 0; j < columns; j++) {
      sums[(to + j) | 0] = data[p]!;
      p = (p + step) | 0;
    }
  }

  /** Here alone a result is rounded. */
  function storeSums(from: number, data: Float32Array, at: number, columns: number): void {
    for (let j = 0; j < columns; j++) data[(at + j) | 0] = sums[(from + j) | 0]!;
  }

  return { loadLeft, loadColumns, tile, panelTile, clearSums, loadSums, storeSums };
}
