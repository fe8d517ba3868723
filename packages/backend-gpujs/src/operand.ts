/** An input as a kernel reads it, or an output: where its rows lie at each step. */
import type { GpuBuffer } from "./memory.ts";

export interface Operand {
  readonly buffer: GpuBuffer;
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly stepStride: number;
  readonly slots: number;
}

/** Where its first row lies. */
export const at = ({ offset, slots, stepStride }: Operand, step: number): number =>
  slots === 1 ? offset : offset + (step % slots) * stepStride;
