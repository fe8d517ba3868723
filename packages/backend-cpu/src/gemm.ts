/**
 * `gemm`: blocks of rows and columns whose results wait in float64 until their last term. Where enough rows share them, the
 * columns of a tile are first widened to float64; a few rows read a matrix that stays the same from its kept copy.
 */
import type { GemmKernel } from "@recurra/core";
import { keep } from "./kept.ts";
import { constant, type Operand } from "./operand.ts";
import { DEPTH, left, load, loadColumns, panelTile, ROOM, store, sums, tile, TILE } from "./tile.ts";

/** Rows of a block: more would only push its results out of the cache. */
const BLOCK_ROWS = 128;

/** Up to as many rows, a kept matrix is faster than one whose columns are loaded. */
const FEW = 6;

/** Larger ones aren't kept: memory bounds their products, and the heap holds other things too. */
const LARGEST = 1 << 23;

export function gemm(kernel: GemmKernel, operands: readonly Operand[], bound: number) {
  const { width } = kernel;
  const height = kernel.rows === "rows" ? bound : kernel.rows;
  const addend = kernel.addend ? operands[0]! : constant(0);
  const out = operands.at(-1)!;
  const blockRows = Math.min(height, BLOCK_ROWS);
  /** From a row of the block's results to the next. */
  const stride = TILE * Math.min(Math.ceil(width / TILE), Math.floor(ROOM / blockRows / TILE));

  /** One product each, its transpositions turned into steps: adds it to the results of a block. */
  const terms = kernel.terms.map((term) => {
    const a = operands[term.a]!;
    const b = operands[term.b]!;
    const depth = term.depth === "rows" ? bound : term.depth;
    const [aRowStep, aDepthStep] = stepsOf(a, term.transposeA);
    const [bDepthStep, bColumnStep] = stepsOf(b, term.transposeB);
    const stays = height <= FEW && b.slots === 1 && term.depth !== "rows" && width * depth <= LARGEST;
    const kept = stays ? keep(b, bColumnStep, bDepthStep, width, depth) : undefined;

    return (row: number, rows: number, column: number, count: number): void => {
      const panels = kept?.();
      const most = panels ? Math.floor(ROOM / rows) : DEPTH;
      for (let k = 0; k < depth; k += most) {
        const part = Math.min(most, depth - k);
        for (let r = 0; r < rows; r++)
          load(left, r * part, a.data, a.at + (row + r) * aRowStep + k * aDepthStep, aDepthStep, part);
        for (let j = 0; j < count; j += TILE) {
          if (panels) {
            const at = (column + j) * depth + k * TILE;
            for (let r = 0; r < rows; r++) panelTile(panels, at, r * part, part, r * stride + j);
          } else {
            const at = b.at + k * bDepthStep + (column + j) * bColumnStep;
            loadColumns(b.data, at, bColumnStep, bDepthStep, count - j, part);
            for (let r = 0; r < rows; r++) tile(r * part, part, r * stride + j);
          }
        }
      }
    };
  });

  return (): void => {
    for (let row = 0; row < height; row += BLOCK_ROWS)
      for (let column = 0; column < width; column += stride) {
        const rows = Math.min(BLOCK_ROWS, height - row);
        const count = Math.min(stride, width - column);
        for (let r = 0; r < rows; r++) {
          const at = addend.at + (row + r) * addend.rowStride + column * addend.columnStride;
          load(sums, r * stride, addend.data, at, addend.columnStride, count);
        }
        for (let i = 0; i < terms.length; i++) terms[i]!(row, rows, column, count);
        for (let r = 0; r < rows; r++)
          store(r * stride, out.data, out.at + (row + r) * out.rowStride + column, count);
      }
  };
}

/** From a row of op(X) to the next, and from a column to the next. */
const stepsOf = ({ rowStride, columnStride }: Operand, transposed: boolean): [number, number] =>
  transposed ? [columnStride, rowStride] : [rowStride, columnStride];
