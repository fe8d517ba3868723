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

/** to[at + i] = from[start + i · step]: widened to float64, as everything is until it is stored. */
export function load(
  to: Float64Array,
  at: number,
  from: Float32Array,
  start: number,
  step: number,
  count: number,
): void {
  let p = start | 0;
  for (let i = 0; i < count; i++) {
    to[(at + i) | 0] = from[p]!;
    p = (p + step) | 0;
  }
}

export const [left, sums, loadColumns, tile, panelTile, store] = makeTiles();

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

  /** The six columns from `at`; of fewer, the last is repeated, and what comes of it is never stored. */
  function loadColumns(
    data: Float32Array,
    at: number,
    columnStep: number,
    step: number,
    count: number,
    depth: number,
  ): void {
    const column = (c: number): number => columnStep * Math.min(c, count - 1);
    const [c1, c2, c3, c4, c5] = [column(1), column(2), column(3), column(4), column(5)];
    let p = at | 0;
    for (let k = 0; k < depth; k++) {
      column0[k] = data[p]!;
      column1[k] = data[(p + c1) | 0]!;
      column2[k] = data[(p + c2) | 0]!;
      column3[k] = data[(p + c3) | 0]!;
      column4[k] = data[(p + c4) | 0]!;
      column5[k] = data[(p + c5) | 0]!;
      p = (p + step) | 0;
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

  /** Here alone a result is rounded. */
  function store(from: number, data: Float32Array, at: number, columns: number): void {
    for (let j = 0; j < columns; j++) data[(at + j) | 0] = sums[(from + j) | 0]!;
  }

  return [left, sums, loadColumns, tile, panelTile, store] as const;
}
