/** Where rows that lie densely in one image lie in another: as few rectangles as there are. */

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly toX: number;
  readonly toY: number;
  readonly width: number;
  readonly height: number;
}

/**
 * @param from texels in a line of the image that holds the rows, one behind the other from its beginning
 * @param to texels in a line of the other, where row r begins at number `offset` + r · rowStride
 */
export function rectangles(
  rows: number,
  width: number,
  from: number,
  to: number,
  offset: number,
  rowStride: number,
): Rectangle[] {
  const column = offset % to;
  // Columns of a matrix, as histories are filled: one rectangle.
  if (from === width && (rows === 1 || rowStride === to) && column + width <= to)
    return [{ x: 0, y: 0, toX: column, toY: Math.floor(offset / to), width, height: rows }];
  // One long row where nothing lies between.
  const found: Rectangle[] = [];
  if (rowStride === width || rows === 1) run(found, 0, offset, rows * width, from, to);
  else for (let r = 0; r < rows; r++) run(found, r * width, offset + r * rowStride, width, from, to);
  return found;
}

/** `count` numbers from number `at` on. */
function run(found: Rectangle[], at: number, goal: number, count: number, from: number, to: number): void {
  for (let done = 0; done < count;) {
    const [s, d, left] = [at + done, goal + done, count - done];
    const [x, toX] = [s % from, d % to];
    const whole = x === 0 && toX === 0 && from === to ? Math.floor(left / to) : 0;
    const width = whole > 0 ? to : Math.min(left, from - x, to - toX);
    const height = Math.max(1, whole);
    found.push({ x, y: Math.floor(s / from), toX, toY: Math.floor(d / to), width, height });
    done += width * height;
  }
}
