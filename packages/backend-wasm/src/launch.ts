/** Launches as words: what the engine reads of a kernel that is bound to sizes and places. */
import type { GemmKernel, Kernel, Launch, Operand as Part } from "@recurra/core";
import { BLOCK_ROWS } from "./engine/gemm.ts";
import { PANEL } from "./engine/tile.ts";
import type { Format } from "./format.ts";
import type { Abreast } from "./matrix.ts";
import { fixedRows, type Ref } from "./simple.ts";
import { GEMM_NUMBERS, type GemmNumbers } from "./gemm-words.ts";
import { NUMBERS, OPERAND_WORDS } from "./words.ts";

/** What an instruction gives the next, or a constant. */
export type Scrap = Exclude<Ref, number>;

/** An operand, in bytes (see words.ts). */
export interface Operand {
  readonly base: number;
  readonly step: number;
  /** Of steps: all bits where every step has its own place, none where all share one, a power of 2 less 1 where places recur. */
  readonly mask: number;
  readonly row: number;
  readonly column: number;
  /** What it is in the program, and where its buffer begins: for threads. */
  readonly part?: Part;
  readonly block?: number;
}

export interface Bound {
  readonly kernel: Kernel;
  readonly place: number;
  /** Rows that it has always, and that each step of its span adds. */
  readonly rows: number;
  readonly rowsPerStep: number;
  /** The most rows that it is ever run on. */
  readonly most: number;
  /** Inputs, then outputs; what isn't anybody's buffer is found in scratch. */
  readonly operands: readonly (Operand | Scrap)[];
  /** Of a gemm: where its right operand lies packed; 0: it must be packed every time. */
  readonly packed?: number;
  /** Of a gemm: how its packed right operand lies. Default: 0. */
  readonly abreast?: Abreast;
  /** Of a gemm: its columns are those of the first of several units; from unit to unit, and where there are no more. */
  readonly units?: readonly [unit: number, end: number];
  /** Of a gemm: its right operand is packed in int8. */
  readonly int8?: Format | undefined;
  /** Of a gemm: how many columns the rows of its result have room for. Default: its width. */
  readonly room?: number;
  /** Of a gather and a scatterAdd. */
  readonly tableRows?: number | undefined;
  /** The launch that it is of, or a part of. */
  readonly launch?: Launch;
  /** Of a barrier, which passes for a map: what it reads. */
  readonly numbers?: readonly number[];
}

/** Scratch for gemms: addresses, which all launches of a program share. */
export interface Scratch {
  readonly left: number;
  readonly right: number;
  readonly edge: number;
  /** Results of single instructions. */
  readonly temporaries: number;
  /** Where a constant has been put. */
  constant(value: number): number;
}

/** Numbers that a stripe of a packed right operand may take: they should stay in the second cache. */
const STRIPE = 1 << 16;
/** How far a sum runs before the next block, so that a panel and a tile stay in the first cache. */
const DEPTH = 512;

const blocks = (width: number): number => Math.ceil(width / PANEL);

/** Bytes of a packed [depth, width] operand. */
export const packedBytes = (depth: number, width: number): number =>
  blocks(width) * PANEL * 4 * Math.max(1, depth);

const sizes = ({ kernel, most, packed, int8 }: Bound) => {
  const { width, terms } = kernel as GemmKernel;
  const wanted = terms[0]!.depth;
  if (int8) return { width, depth: wanted as number, ...int8.sizes(wanted as number, most) };
  const depth = wanted === "rows" ? most : wanted;
  const rows = Math.min(fixedRows(kernel) || most, BLOCK_ROWS);
  const fits = packed
    ? rows <= 2
      ? Infinity
      : DEPTH
    : Math.min(DEPTH, Math.floor(STRIPE / (PANEL * blocks(width))));
  const stripe = Math.max(1, Math.min(depth, Math.max(64, fits)));
  return { width, depth: wanted === "rows" ? 0 : wanted, stripe, leftBytes: 4 * rows * stripe };
};

/** Bytes of one instruction's result. */
const temporaryBytes = ({ kernel, most }: Bound): number => 16 * Math.ceil((most * kernel.width) / 4) + 16;

/** Bytes of scratch that launches need: left, right, temporaries; and how many constants. */
export function scratchBytes(launches: readonly Bound[]): readonly [number, number, number, number] {
  let [left, right, temporaries, constants] = [64, 64, 0, 0];
  for (const launch of launches) {
    for (const o of launch.operands) {
      if ("temporary" in o) temporaries = Math.max(temporaries, (o.temporary + 1) * temporaryBytes(launch));
      if ("constant" in o) constants++;
    }
    if (launch.kernel.op !== "gemm") continue;
    const { width, stripe, leftBytes } = sizes(launch);
    left = Math.max(left, leftBytes + 64);
    if (!launch.packed) right = Math.max(right, packedBytes(stripe, width) + 64);
  }
  return [left, right, temporaries, constants];
}

/** Words that a launch takes at most, with its address. */
export const mostWords = ({ operands }: Bound): number =>
  1 + NUMBERS / 4 + GEMM_NUMBERS + OPERAND_WORDS * Math.max(4, operands.length);

/** A launch's words. Its operands are the last of them. */
export function wordsOf(launch: Bound, scratch: Scratch): number[] {
  const { kernel, place, rows, rowsPerStep, packed = 0, tableRows = 0 } = launch;
  const { left, right, edge } = scratch;
  const operands = launch.operands.map((o): Operand => {
    if ("constant" in o) return { base: scratch.constant(o.constant), step: 0, mask: 0, row: 0, column: 0 };
    if (!("temporary" in o)) return o;
    const base = scratch.temporaries + o.temporary * temporaryBytes(launch);
    return { base, step: 0, mask: 0, row: 4 * kernel.width, column: 4 };
  });
  let numbers: readonly number[] = launch.numbers ?? [4 * kernel.width, tableRows];
  if (kernel.op === "map" && !launch.numbers) {
    // Whether every row follows the one before without a gap, or all are the same number.
    const flat = operands.every(({ row, column }) => row === column * kernel.width);
    numbers = [4 * kernel.width, flat ? 1 : 0];
  }
  if (kernel.op === "gemm") {
    const { width, depth, stripe } = sizes(launch);
    numbers = [
      width, launch.room ?? width, depth, fixedRows(kernel), packed, launch.abreast ?? 0, stripe, left, right, edge,
      kernel.addend ? 1 : 0, ...(launch.units ?? [0, 0] as const),
    ] satisfies GemmNumbers<number>; // prettier-ignore
  }
  const places = kernel.op === "gemm" ? gemmOperands(kernel, operands) : operands;
  return [
    place, rows, rowsPerStep, ...numbers,
    ...places.flatMap(({ base, step, mask, row, column }) => [base, step, mask, row, column]),
  ]; // prettier-ignore
}

/** A(r, k), B(k, j), the addend, the output, with transpositions turned into strides. */
function gemmOperands({ terms, addend }: GemmKernel, [a, b, ...rest]: readonly Operand[]): Operand[] {
  const swap = (o: Operand): Operand => ({ ...o, row: o.column, column: o.row });
  const { transposeA, transposeB } = terms[0]!;
  const [from, out] = addend ? rest : [rest[0], rest[0]];
  return [transposeA ? swap(a!) : a!, transposeB ? swap(b!) : b!, from!, out!];
}

/** Words from a launch's start to the one that holds a gather's or scatterAdd's table rows. */
export const TABLE_ROWS_WORD = 4;
