/** Rectangles of a program's buffers: what a kernel reads or writes of one, and whether others cover it. */

export interface Region {
  readonly buffer: number;
  /** Of a state's pair. */
  readonly pair: "current" | "next" | undefined;
  /** 1: the slot after this step's. */
  readonly shift: 0 | 1;
  /** From, and up to but not including. A buffer with a row for each sequence is one row here. */
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
}

/** Whether two regions of the same slots share an element. */
export function overlaps(a: Region, b: Region): boolean {
  const meet = (x: Region["rows"], y: Region["rows"]): boolean => x[0] < y[1] && y[0] < x[1];
  return a.buffer === b.buffer && a.pair === b.pair && meet(a.rows, b.rows) && meet(a.columns, b.columns);
}

/** Whether `wanted` lies within the union of `regions`. */
export function covered(wanted: Region, regions: readonly Region[]): boolean {
  let left = [wanted];
  for (const region of regions) left = left.flatMap((part) => without(part, region));
  return left.length === 0;
}

/** What is left of a region when another is taken out of it: up to four rectangles. */
function without(region: Region, taken: Region): Region[] {
  if (!overlaps(region, taken)) return [region];
  const {
    rows: [top, bottom],
    columns: [left, right],
  } = region;
  const [above, below] = [Math.max(top, taken.rows[0]), Math.min(bottom, taken.rows[1])];
  const parts: Region[] = [
    { ...region, rows: [top, above] },
    { ...region, rows: [below, bottom] },
    { ...region, rows: [above, below], columns: [left, taken.columns[0]] },
    { ...region, rows: [above, below], columns: [taken.columns[1], right] },
  ];
  return parts.filter(({ rows, columns }) => rows[0] < rows[1] && columns[0] < columns[1]);
}
