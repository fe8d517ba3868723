/** Another format of weights than float32, as the rest of this package sees it: types alone, so that nobody ships one unasked. */
import type { Accuracy } from "@recurra/core";
import type { Assembler, Routine } from "./assembler.ts";
import type { Matrix } from "./matrix.ts";
import type { Memory } from "./memory.ts";

export interface Format {
  /** Tells modules apart. */
  readonly name: string;
  readonly accuracy: Accuracy;
  /** The gemm whose right operand is packed so. */
  gemm(assembler: Assembler): Routine;
  /** How far a sum runs before the next block, and the scratch for its left operand. */
  sizes(depth: number, most: number): { readonly stripe: number; readonly leftBytes: number };
  /** Of a packed matrix. */
  bytes(depth: number, width: number): number;
  pack(memory: Memory, matrix: Matrix, to: number): void;
}
