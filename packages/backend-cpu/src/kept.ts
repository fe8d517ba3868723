/**
 * Matrices that stay the same from step to step, widened to float64 and laid out as gemm reads them for a row or a few: panels of
 * six columns, [depth, 6] each. Ordinary arrays of numbers: V8 reads them twice as fast as typed arrays that it doesn't know.
 * They cost eight bytes a weight, and are made again after the buffer has changed.
 */
import type { Panels } from "./memory.ts";
import type { Operand } from "./operand.ts";
import { TILE } from "./tile.ts";

/** op(B)(k, j) = the buffer's element at `offset` + j · columnStep + k · depthStep, [depth, width]. */
export function keep(
  { buffer, data, offset }: Operand,
  columnStep: number,
  depthStep: number,
  width: number,
  depth: number,
): Panels {
  const key = [offset, columnStep, depthStep, width, depth].join();
  /** Starts with a fraction so that V8 stores doubles, whatever comes. */
  const panels = [0.5];
  /** The buffer's versions, when it was last looked at and when the panels were made. */
  let seen = -1;
  let made = -1;

  const kept = buffer.kept.get(key) ?? ready;
  buffer.kept.set(key, kept);
  return kept;

  /** Only when the buffer is found unchanged: to use them once doesn't pay. */
  function ready(): readonly number[] | undefined {
    const { version } = buffer;
    const unchanged = seen === version;
    seen = version;
    if (unchanged && made !== version) {
      made = version;
      const length = Math.ceil(width / TILE) * TILE * depth;
      while (panels.length < length) panels.push(0);
      for (let j = 0; j < width; j++) {
        let from = offset + j * columnStep;
        let to = (j - (j % TILE)) * depth + (j % TILE);
        for (let k = 0; k < depth; k++) {
          panels[to] = data[from]!;
          from = (from + depthStep) | 0;
          to = (to + TILE) | 0;
        }
      }
    }
    return unchanged ? panels : undefined;
  }
}
