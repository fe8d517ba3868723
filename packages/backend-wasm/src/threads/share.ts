/**
 * A thread's share of a launch, written down as a launch of its own: so routines know nothing of threads. Whatever the share, a
 * result is the same sum in the same order, so the bits are those of one thread.
 */
import type { Operand as Part, Program } from "@recurra/core";
import { PANEL } from "../engine/tile.ts";
import type { Bound, Operand, Scrap } from "../launch.ts";

/**
 * How a launch is shared out. rows: each thread has every n-th row, so that a row of the batch is one thread's at all steps.
 * columns: each has a range of the columns of every `unit` (of an LSTM's gates: all four gates of its units, which the map that
 * follows reads). one: the first thread has it all.
 */
export type Way =
  { readonly kind: "rows" } | { readonly kind: "columns"; readonly unit: number } | { readonly kind: "one" };

/** Columns of a tile of one row. */
export const TILE = 32;

/** What `unit` is cut between: whole tiles where there are enough of them, else whole panels. */
const grain = (unit: number, threads: number): number => (unit >= TILE * threads ? TILE : PANEL);

/** Thread `thread`'s columns of `unit`: from, up to. */
export function cut(unit: number, thread: number, threads: number): readonly [number, number] {
  const step = grain(unit, threads);
  const at = (t: number): number =>
    t === threads ? unit : Math.min(unit, Math.round((t * unit) / threads / step) * step);
  return [at(thread), at(thread + 1)];
}

const isScrap = (o: Operand | Scrap): o is Scrap => !("base" in o);

/** What a launch does with an operand: its row is the result's, its column is; or it reads all of it, in whatever order. */
export interface Access {
  readonly operand: Operand;
  readonly write: boolean;
  readonly rowwise: boolean;
  readonly columnwise: boolean;
}

/** Operands that are in the program, inputs first. */
export function accesses({ kernel, operands }: Bound): Access[] {
  const last = operands.length - (kernel.op === "map" ? kernel.outputs.length : 1);
  return operands.flatMap((operand, i) => {
    if (isScrap(operand)) return [];
    const write = i >= last;
    // A gemm's are A, B, addend, out.
    const rowwise =
      kernel.op === "gemm" ? i !== 1 : kernel.op === "gather" ? i > 0 : kernel.op !== "scatterAdd" || i < 2;
    const columnwise =
      kernel.op === "gemm"
        ? i > 1
        : kernel.op === "gather"
          ? i !== 1
          : kernel.op === "scatterAdd"
            ? i > 0
            : kernel.op === "map" && operand.column !== 0;
    return [{ operand, write, rowwise, columnwise }];
  });
}

/** Whether each row of the batch can be one thread's. */
export function rowsApart(bound: Bound, { buffers }: Program): boolean {
  const { kernel, launch } = bound;
  if (bound.rowsPerStep === 0 && launch?.rows !== "batch") return false;
  if (kernel.op === "gather" || kernel.op === "scatterAdd") return false;
  if (kernel.op === "gemm") {
    const { depth, transposeA } = kernel.terms[0]!;
    if (kernel.rows !== "rows" || transposeA || depth === "rows") return false;
  }
  const own = ({ buffer, row, repeatRow }: Part): boolean =>
    repeatRow ? buffers[buffer]!.rows !== "batch" : row === 0 && buffers[buffer]!.rows === "batch";
  return accesses(bound).every(({ operand, rowwise }) => !rowwise || own(operand.part!));
}

/** Whether columns can be cut at every `unit` of them: not within what lies packed together. */
export const columnsApart = ({ kernel, packed, abreast }: Bound, unit: number, threads: number): boolean =>
  kernel.op !== "reduce" &&
  kernel.width % unit === 0 &&
  (unit === kernel.width || !packed || unit % PANEL === 0) &&
  (!abreast || (unit % TILE === 0 && grain(unit, threads) === TILE));

const columnsOf = (bound: Bound, from: number, to: number): Bound => {
  const { kernel, packed, room } = bound;
  const width = to - from;
  // Of a gemm's right operand, a column may be a row.
  const across = kernel.op === "gemm" && kernel.terms[0]!.transposeB;
  const kinds = new Map(accesses(bound).map((a) => [a.operand, a]));
  const operands = bound.operands.map((o, i) => {
    if (isScrap(o)) return o;
    if (kernel.op === "gemm" && i === 1) return { ...o, base: o.base + from * (across ? o.row : o.column) };
    return kinds.get(o)?.columnwise ? { ...o, base: o.base + from * o.column } : o;
  });
  return {
    ...bound,
    kernel: { ...kernel, width },
    operands,
    ...(packed && kernel.op === "gemm" && {
      packed: packed + 4 * from * (kernel.terms[0]!.depth as number),
    }),
    // What lies behind the share is another's.
    room: to === kernel.width ? (room ?? to) - from : width,
  }; // prettier-ignore
};

const rowsOf = (bound: Bound, thread: number, threads: number): Bound => ({
  ...bound,
  rows: bound.rows / threads,
  rowsPerStep: bound.rowsPerStep / threads,
  most: bound.most / threads,
  operands: bound.operands.map((o, i) =>
    isScrap(o) || (bound.kernel.op === "gemm" && i === 1)
      ? o
      : { ...o, base: o.base + thread * o.row, row: o.row * threads },
  ),
});

/** A thread's share: none, one, or one in every unit. */
export function share(bound: Bound, way: Way, thread: number, threads: number): Bound[] {
  if (way.kind === "one") return thread === 0 ? [bound] : [];
  if (way.kind === "rows") return [rowsOf(bound, thread, threads)];
  const { width } = bound.kernel;
  const { unit } = way;
  const [from, to] = cut(unit, thread, threads);
  if (from === to) return [];
  // A gemm whose panels lie ready goes from unit to unit by itself.
  if (bound.packed) return [{ ...columnsOf(bound, from, to), units: [unit, width] }];
  return Array.from({ length: width / unit }, (_, i) => columnsOf(bound, i * unit + from, i * unit + to));
}
