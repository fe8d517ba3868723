/**
 * Matrices that stay the same from step to step, widened to float64 and laid out as gemm reads them for a row or a few: panels of
 * six columns, [depth, 6] each. Ordinary arrays of numbers: V8 reads them twice as fast as typed arrays that it doesn't know.
 * They cost eight bytes a weight, and are made again after the buffer has changed.
 */
import type { CpuBuffer } from "./memory.ts";
import { TILE } from "./tile.ts";

/** Larger ones aren't kept: memory bounds their products, and the heap holds other things too. */
const LARGEST = 1 << 23;

/** Of each buffer, by where they lie in it: all kernels that read a matrix share it. */
const matrices = new WeakMap<CpuBuffer, Map<string, KeptMatrix>>();

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
  const ofBuffer = matrices.get(buffer) ?? new Map<string, KeptMatrix>();
  const kept = ofBuffer.get(key) ?? new KeptMatrix(buffer, offset, columnStep, depthStep, width, depth);
  matrices.set(buffer, ofBuffer.set(key, kept));
  return kept;
}

export class KeptMatrix {
  /** Starts with a fraction so that V8 stores doubles, whatever comes. */
  private readonly panels: number[] = [0.5];
  /** The buffer's, when it was last looked at. */
  private version = -1;
  private made = false;

  constructor(
    private readonly buffer: CpuBuffer,
    private readonly offset: number,
    private readonly columnStep: number,
    private readonly depthStep: number,
    private readonly width: number,
    private readonly depth: number,
  ) {}

  /** The panels, if it pays to have them: when the buffer is found unchanged, since to use them once doesn't. */
  ready(): readonly number[] | undefined {
    if (this.version !== this.buffer.version) {
      this.version = this.buffer.version;
      this.made = false;
    } else if (!this.made) {
      this.make();
      this.made = true;
    }
    return this.made ? this.panels : undefined;
  }

  private make(): void {
    const { buffer, panels, offset, columnStep, depthStep, width, depth } = this;
    const length = Math.ceil(width / TILE) * TILE * depth;
    while (panels.length < length) panels.push(0);
    for (let j = 0; j < width; j++) {
      const first = j - (j % TILE);
      fillColumn(panels, first * depth + j - first, buffer.data, offset + j * columnStep, depthStep, depth);
    }
  }
}

function fillColumn(
  panels: number[],
  to: number,
  data: Float32Array,
  at: number,
  step: number,
  depth: number,
): void {
  let p = at | 0;
  let q = to | 0;
  for (let k = 0; k < depth; k++) {
    panels[q] = data[p]!;
    p = (p + step) | 0;
    q = (q + TILE) | 0;
  }
}
