/**
 * `gemm`: blocks of rows and columns whose results wait in float64 until their last term. Where enough rows share them, the
 * columns of a tile are first widened to float64; a row or two read the matrix where it lies.
 */
import type { BoundKernel, GemmKernel, PreparedKernel } from "@recurra/core";
import { fail } from "./errors.ts";
import { keep, type KeptMatrix } from "./kept.ts";
import type { Memory } from "./memory.ts";
import { Operand, output, refuseOverlaps } from "./operand.ts";
import {
  clearSums,
  DEPTH,
  loadColumns,
  loadLeft,
  loadSums,
  panelTile,
  ROOM,
  storeSums,
  tile,
  TILE,
} from "./tile.ts";

/** Rows of a block: more would only push its results out of the cache. */
const BLOCK_ROWS = 128;

/** Up to as many rows, a kept matrix is faster than one whose columns are loaded. */
const FEW = 6;

/** One product, its transpositions turned into steps. */
interface Term {
  readonly a: Operand;
  readonly aRowStep: number;
  readonly aDepthStep: number;
  readonly b: Operand;
  readonly bColumnStep: number;
  readonly bDepthStep: number;
  readonly depth: number;
  readonly kept: KeptMatrix | undefined;
}

export function prepareGemm(memory: Memory, kernel: GemmKernel): PreparedKernel {
  const { width, addend, terms } = kernel;
  const count = Math.max(addend ? 1 : 0, ...terms.map(({ a, b }) => Math.max(a, b) + 1));
  return {
    bind(bound, views) {
      const who = "cpu gemm";
      if (views.length !== count + 1)
        fail("INVALID_ARGUMENT", `${who}: expected ${count + 1} views, got ${views.length}`);
      const rows = kernel.rows === "rows" ? bound : kernel.rows;
      const inputs: Operand[] = [];
      const input = (index: number, height: number, columns: number): Operand => {
        const operand = new Operand(memory, who, views[index]!, height, columns);
        inputs.push(operand);
        return operand;
      };
      const added = addend ? input(0, rows, width) : undefined;
      const products = terms.map((term): Term => {
        const depth = term.depth === "rows" ? bound : term.depth;
        const a = term.transposeA ? input(term.a, depth, rows) : input(term.a, rows, depth);
        const b = term.transposeB ? input(term.b, width, depth) : input(term.b, depth, width);
        const [aRowStep, aDepthStep] = term.transposeA
          ? [a.columnStep, a.rowStep]
          : [a.rowStep, a.columnStep];
        const [bColumnStep, bDepthStep] = term.transposeB
          ? [b.rowStep, b.columnStep]
          : [b.columnStep, b.rowStep];
        const stays = rows <= FEW && views[term.b]!.slots === 1 && term.depth !== "rows";
        const kept = stays ? keep(b.buffer, b.offset, bColumnStep, bDepthStep, width, depth) : undefined;
        return { a, aRowStep, aDepthStep, b, bColumnStep, bDepthStep, depth, kept };
      });
      const out = output(memory, who, views[count]!, rows, width);
      refuseOverlaps(who, inputs, [out], false);
      return new BoundGemm(products, added, out, inputs);
    },
  };
}

class BoundGemm implements BoundKernel {
  /** Most rows and columns that are done at a time; the columns in whole tiles. */
  private readonly blockRows: number;
  private readonly blockColumns: number;

  constructor(
    private readonly terms: readonly Term[],
    private readonly addend: Operand | undefined,
    private readonly out: Operand,
    private readonly inputs: readonly Operand[],
  ) {
    this.blockRows = Math.min(out.rows, BLOCK_ROWS);
    this.blockColumns = Math.floor(ROOM / Math.max(1, this.blockRows) / TILE) * TILE;
  }

  run(step: number): void {
    const { inputs, out, blockRows, blockColumns } = this;
    for (let i = 0; i < inputs.length; i++) inputs[i]!.locate(step);
    out.claim(step);
    for (let row = 0; row < out.rows; row += blockRows) {
      for (let column = 0; column < out.width; column += blockColumns) {
        this.block(
          row,
          Math.min(blockRows, out.rows - row),
          column,
          Math.min(blockColumns, out.width - column),
        );
      }
    }
  }

  private block(row: number, rows: number, column: number, columns: number): void {
    const { terms, addend, out } = this;
    const stride = Math.ceil(columns / TILE) * TILE;
    for (let r = 0; r < rows; r++) {
      if (addend) {
        const at = addend.base + (row + r) * addend.rowStep + column * addend.columnStep;
        loadSums(r * stride, addend.data, at, addend.columnStep, columns);
      } else clearSums(r * stride, columns);
    }
    for (let i = 0; i < terms.length; i++) {
      const term = terms[i]!;
      const { a, aRowStep, aDepthStep } = term;
      const panels = term.kept?.ready();
      const most = panels ? Math.floor(ROOM / rows) : DEPTH;
      for (let k = 0; k < term.depth; k += most) {
        const depth = Math.min(most, term.depth - k);
        for (let r = 0; r < rows; r++) {
          loadLeft(r * depth, a.data, a.base + (row + r) * aRowStep + k * aDepthStep, aDepthStep, depth);
        }
        if (panels) addPanels(panels, term.depth, rows, column, columns, k, depth, stride);
        else addTiles(term, rows, column, columns, k, depth, stride);
      }
    }
    for (let r = 0; r < rows; r++) {
      storeSums(r * stride, out.data, out.base + (row + r) * out.rowStep + column, columns);
    }
  }
}

function addTiles(
  term: Term,
  rows: number,
  column: number,
  columns: number,
  k: number,
  depth: number,
  stride: number,
): void {
  const { b, bColumnStep, bDepthStep } = term;
  const at = b.base + k * bDepthStep + column * bColumnStep;
  for (let j = 0; j < columns; j += TILE) {
    loadColumns(b.data, at + j * bColumnStep, bColumnStep, bDepthStep, Math.min(TILE, columns - j), depth);
    for (let r = 0; r < rows; r++) tile(r * depth, depth, r * stride + j);
  }
}

function addPanels(
  panels: readonly number[],
  panelDepth: number,
  rows: number,
  column: number,
  columns: number,
  k: number,
  depth: number,
  stride: number,
): void {
  for (let j = 0; j < columns; j += TILE) {
    const at = (column + j) * panelDepth + k * TILE;
    for (let r = 0; r < rows; r++) panelTile(panels, at, r * depth, depth, r * stride + j);
  }
}
