/** One kernel of a program in words: its shapes, what it counts, and what it computes of which buffers. */
import type { BufferSpec, GemmKernel, Launch, MapKernel, Operand, Program } from "../backend.ts";
import { add, show, times, type Amount, type Sizes, type Unit } from "./amount.ts";

/** A kernel run once: over all rows of the sequence, or at one step. */
export interface Line {
  readonly kernel: string;
  readonly shape: string;
  readonly flops: Amount;
  readonly bytes: Amount;
  readonly what: string;
}

const bytesOfFloat = 4;

/** Buffers by name. Values between kernels have none of their own: they are v1, v2, …; a history has its state's. */
export function namesOf({ buffers, states }: Program): readonly string[] {
  let values = 0;
  return buffers.map(({ name, role }, i) => {
    if (role === "history") return states.find(({ history }) => history?.buffer === i)?.name ?? name;
    return role === "value" ? `v${++values}` : name;
  });
}

export function lineOf(launch: Launch, program: Program, names: readonly string[], sizes: Sizes): Line {
  const { kernel, inputs, outputs } = launch;
  const rows = unitOf(launch.rows);
  const text = (amount: Amount): string => show(amount, sizes);
  const matrix = (of: Amount, width: number): string => `[${text(of)}, ${width}]`;
  const spec = (o: Operand): BufferSpec => program.buffers[o.buffer] as BufferSpec;
  const at = (o: Operand, count?: number): string => place(o, spec(o), nameOf(o, program, names), count);
  const [first, second] = inputs as [Operand, Operand];
  const [out] = outputs as [Operand];

  switch (kernel.op) {
    case "gemm": {
      const own = kernel.rows === "rows" ? rows : { "": kernel.rows };
      const shape = kernel.terms.map(({ depth }) =>
        depth === "rows"
          ? `[${text(own)}, ${text(rows)}]·${matrix(rows, kernel.width)}`
          : `${matrix(own, depth)}·[${depth}, ${kernel.width}]`,
      );
      const { flops, bytes } = costOfGemm(kernel, inputs, rows, own);
      return {
        kernel: "gemm",
        shape: shape.join(" + "),
        flops,
        bytes: add(bytes, moved(out, own)),
        what: `${at(out, kernel.rows === "rows" ? undefined : kernel.rows)} = ${sumOf(kernel, inputs, at)}`,
      };
    }
    case "map": {
      const names = (list: readonly Operand[]): string =>
        [...new Set(list.map((o) => at({ ...o, column: 0, width: spec(o).width })))].join(", ");
      return {
        kernel: "map",
        shape: matrix(rows, kernel.width),
        flops: times(rows, kernel.instructions.length * kernel.width),
        bytes: add(...[...inputs, ...outputs].map((o) => moved(o, rows))),
        what: `${names(outputs)} = ${functionsOf(kernel)}${inputs.length > 0 ? ` of ${names(inputs)}` : ""}`,
      };
    }
    case "reduce":
      return {
        kernel: "reduce",
        shape: `${matrix(rows, kernel.width)} → ${matrix(rows, 1)}`,
        flops: times(rows, kernel.width),
        bytes: add(moved(first, rows), moved(out, rows)),
        what: `${at(out)} = ${kernel.fn} of ${at(first)}`,
      };
    case "gather":
      return {
        kernel: "gather",
        shape: `${matrix(rowsOf(spec(first)), kernel.width)} → ${matrix(rows, kernel.width)}`,
        flops: {},
        bytes: times(rows, (2 * kernel.width + 1) * bytesOfFloat),
        what: `${at(out)} = rows of ${at(first, Infinity)} at ${at(second)}`,
      };
    case "scatterAdd": {
      const table = kernel.tableRows === "steps" ? { "T·B": 1 } : { "": kernel.tableRows };
      return {
        kernel: "scatterAdd",
        shape: `${matrix(rows, kernel.width)} → ${matrix(table, kernel.width)}`,
        flops: times(rows, kernel.width),
        bytes: add(times(rows, (kernel.width + 1) * bytesOfFloat), times(table, kernel.width * bytesOfFloat)),
        what: `${at(out, Infinity)} = sums of ${at(second)} at ${at(first)}`,
      };
    }
  }
}

const unitOf = (rows: Launch["rows"]): Amount =>
  rows === "steps" ? { "T·B": 1 } : rows === "batch" ? { B: 1 } : { "": rows };

/** All rows that a buffer holds. */
export function rowsOf({ rows, slots }: BufferSpec): Amount {
  const unit: Unit = rows === "batch" ? "B" : "";
  const each = rows === "batch" ? 1 : rows;
  if (slots === "steps") return { "T·B": each };
  if (slots === "steps+1") return { "T·B": each, B: each };
  return slots === "chunk" ? { "C·B": each } : { [unit]: each };
}

/** The bytes of an operand, whose rows are so many. */
const moved = (o: Operand, of: Amount): Amount => times(o.repeatRow ? { "": 1 } : of, o.width * bytesOfFloat);

/** A multiply and an add for each product of a sum. */
function costOfGemm(
  { terms, addend, width }: GemmKernel,
  inputs: readonly Operand[],
  rows: Amount,
  own: Amount,
): { readonly flops: Amount; readonly bytes: Amount } {
  const flops: Amount[] = [];
  const bytes: Amount[] = [];
  if (addend) bytes.push(moved(inputs[0] as Operand, own));
  for (const { a, b, depth } of terms) {
    const [left, right] = [inputs[a] as Operand, inputs[b] as Operand];
    const factor = depth === "rows" ? (own[""] ?? 0) : depth;
    flops.push(times(rows, 2 * factor * width));
    bytes.push(
      moved(left, rows),
      depth === "rows" ? moved(right, rows) : { "": depth * width * bytesOfFloat },
    );
  }
  return { flops: add(...flops), bytes: add(...bytes) };
}

function sumOf(
  { terms, addend, width }: GemmKernel,
  inputs: readonly Operand[],
  at: (o: Operand, count?: number) => string,
): string {
  const products = terms.map(({ a, b, transposeA, transposeB, depth }) => {
    const [left, right] = [inputs[a] as Operand, inputs[b] as Operand];
    const rows = depth === "rows" ? undefined : transposeB ? width : depth;
    return `${at(left)}${transposeA ? "ᵀ" : ""}·${at(right, rows)}${transposeB ? "ᵀ" : ""}`;
  });
  return [...(addend ? [at(inputs[0] as Operand)] : []), ...products].join(" + ");
}

/** "3 sigmoid, 2 times, plus" */
function functionsOf({ instructions }: MapKernel): string {
  const counts = new Map<string, number>();
  for (const { fn } of instructions) counts.set(fn, (counts.get(fn) ?? 0) + 1);
  return [...counts].map(([fn, count]) => (count === 1 ? fn : `${count} ${fn}`)).join(", ");
}

/** The state after the step has a prime; a history says which step's it is. */
function nameOf(o: Operand, { states }: Program, names: readonly string[]): string {
  const name = names[o.buffer] as string;
  const state = states.find(({ history }) => history?.buffer === o.buffer);
  if (state) return `${name}(${o.shift !== state.history?.shift ? "t" : state.reverse ? "t+1" : "t−1"})`;
  return o.pair === "next" ? `${name}′` : name;
}

/** With the rows of a stacked matrix, or the columns of a row, where it isn't all of them. */
function place(o: Operand, { rows, width }: BufferSpec, name: string, count = 1): string {
  if (rows === "batch") return o.width === width ? name : `${name}[${o.column}:${o.column + o.width}]`;
  const last = o.row + Math.max(count, Math.floor(o.width / width));
  return o.row === 0 && last >= rows ? name : `${name}[${o.row}:${last}]`;
}
