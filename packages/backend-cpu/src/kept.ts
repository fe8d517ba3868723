/**
 * Matrices that stay the same from step to step, widened to float64 and laid out as gemm reads them for a row or a few: panels of
 * six columns, [depth, 6] each. Ordinary arrays of numbers: V8 reads them twice as fast as typed arrays that it doesn't know.
 * They cost eight bytes a weight, and are made again when the buffer has changed.
 */
import type { CpuBuffer } from "./memory.ts";
import { TILE } from "./tile.ts";

/** Larger ones aren't kept: memory bounds their products, and the heap holds other things too. */
const LARGEST = 1 << 23;

/** op(B)(k, j) = B's buffer at `offset` + j · columnStep + k · depthStep, [depth, width]; undefined when it is too large to keep. */
export function keep(
  buffer: CpuBuffer,
  offset: number,
  columnStep: number,
  depthStep: number,
  width: number,
  depth: number,
): KeptMatrix | undefined {
  if (width * depth > LARGEST) return undefined;
  const key = [offset, columnStep, depthStep, width, depth].join();
  const kept = buffer.kept.get(key) ?? new KeptMatrix(buffer, offset, columnStep, depthStep, width, depth);
  buffer.kept.set(key, kept);
  return kept;
}

export class KeptMatrix {
  /** Starts with a fraction so that V8 stores doubles, whatever comes. */
  readonly panels: number[] = [0.5];
  private version = -1;

  constructor(
    private readonly buffer: CpuBuffer,
    private readonly offset: number,
    private readonly columnStep: number,
    private readonly depthStep: number,
    private readonly width: number,
    readonly depth: number,
  ) {}

  /** Make the panels again, if the buffer was written since. */
  refresh(): void {
    if (this.version === this.buffer.version) return;
    this.version = this.buffer.version;
    const { buffer, panels, offset, columnStep, depthStep, width, depth } = this;
    let to = 0;
    for (let j = 0; j < width; j += TILE) {
      for (let k = 0; k < depth; k++) {
        for (let c = j; c < j + TILE; c++) {
          // Columns past the last repeat it; what comes of them is never stored.
          panels[to++] = buffer.data[offset + Math.min(c, width - 1) * columnStep + k * depthStep]!;
        }
      }
    }
  }
}
