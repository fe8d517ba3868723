/**
 * Runs a program with a backend's five kernels: allocates the values between them, binds every kernel once, and walks the
 * sections. What a backend with `prepareProgram` does in its own way.
 */
import type {
  Backend,
  BoundKernel,
  BufferSpec,
  DeviceBuffer,
  Launch,
  Operand,
  Part,
  PreparedKernel,
  PreparedProgram,
  Program,
  View,
} from "./backend.ts";
import { owning } from "./owner.ts";

/** Rows before a loop are computed for this many steps at once, or more where the batch is small. */
const chunkSteps = 16;
const chunkRows = 64;

/** How many steps a chunk has, where a kernel may be bound to `rows` rows. */
export function chunkLength(steps: number, batch: number, rows: number): number {
  const some = Math.max(1, batch);
  const wanted = Math.max(chunkSteps, Math.ceil(chunkRows / some));
  return Math.max(1, Math.min(steps, wanted, Math.floor(rows / some)));
}

const stepSize = ({ rows, width }: BufferSpec, batch: number): number =>
  (rows === "batch" ? batch : rows) * width;

const slotsOf = ({ slots }: BufferSpec, steps: number, chunk: number): number =>
  slots === "steps" ? steps : slots === "steps+1" ? steps + 1 : slots === "chunk" ? chunk : slots;

/** How many values a buffer holds; at least one, so that an empty batch needs no special case. */
export const lengthOf = (spec: BufferSpec, batch: number, steps: number, chunk: number): number =>
  Math.max(1, stepSize(spec, batch)) * Math.max(1, slotsOf(spec, steps, chunk));

export type Parity = 0 | 1;

/** Kernels over all rows of a chunk at once, or run step by step; with what has been bound of them. */
interface BoundPart extends Part {
  readonly bound: Map<number, readonly BoundKernel[]>;
}

/** What copies a state into the slot of its history before the first step. */
const copyTo = (history: Operand, state: number): Part => ({
  kind: "loop",
  launches: [
    {
      kernel: {
        op: "map",
        width: history.width,
        inputs: 1,
        instructions: [{ fn: "copy", args: [{ input: 0 }] }],
        outputs: [0],
      },
      rows: "batch",
      inputs: [{ ...history, buffer: state, column: 0, shift: 0, pair: "current" }],
      outputs: [history],
      label: "history",
    },
  ],
});

export function interpret(program: Program, backend: Backend): PreparedProgram {
  const prepared = new Map<Launch, PreparedKernel>();
  const prepare = (part: Part): Part => {
    for (const launch of part.launches) prepared.set(launch, backend.prepare(launch.kernel));
    return part;
  };
  const histories = program.states.flatMap(({ buffer, reverse, history }) =>
    history ? [{ reverse, part: prepare(copyTo(history, buffer)) }] : [],
  );
  for (const { parts } of program.sections) parts.forEach(prepare);

  const bind: PreparedProgram["bind"] = (steps, batch, shared) =>
    owning((owner) => {
      const chunk = chunkLength(steps, batch, backend.limits.rows);
      const buffers = program.buffers.map((spec, i) => {
        const given = shared.get(i);
        if (given) return given;
        const own = owner.alloc(backend, lengthOf(spec, batch, steps, chunk));
        if (spec.data) backend.write(own, Float32Array.from(spec.data), 0);
        return [own];
      });

      const view = (o: Operand, parity: number): View => {
        const spec = program.buffers[o.buffer] as BufferSpec;
        const which = o.pair === undefined ? 0 : o.pair === "current" ? parity : 1 - parity;
        const stepStride = spec.slots === 1 ? 0 : stepSize(spec, batch);
        return {
          buffer: buffers[o.buffer]?.[which] as DeviceBuffer,
          offset: o.column + o.row * spec.width + o.shift * stepStride,
          rowStride: o.repeatRow ? 0 : spec.width,
          columnStride: o.repeatColumn ? 0 : 1,
          stepStride,
          slots: Math.max(1, slotsOf(spec, steps, chunk) - o.shift),
        };
      };

      /** Bind a part's kernels so that they cover `count` steps at once. */
      const bindPart = ({ launches, bound }: BoundPart, count: number, parity: number) => {
        const rowsOf = (rows: Launch["rows"]): number =>
          rows === "steps" ? count * batch : rows === "batch" ? batch : rows;
        const kernels = launches.map((launch) => {
          const { kernel, inputs, outputs, rows } = launch;
          let table: Launch["rows"] | undefined;
          if (kernel.op === "scatterAdd") table = kernel.tableRows;
          if (kernel.op === "gather") table = program.buffers[inputs[0]?.buffer ?? 0]?.rows;
          return (prepared.get(launch) as PreparedKernel).bind(
            rowsOf(rows),
            [...inputs, ...outputs].map((o) => view(o, parity)),
            // A table of rows by step and batch is a whole sequence.
            table && rowsOf(table === "batch" ? "steps" : table),
          );
        });
        // Sequences of ever new lengths mustn't fill the memory.
        if (bound.size >= 128) bound.clear();
        bound.set(2 * count + parity, kernels);
        return kernels;
      };
      const boundOf = (part: Part): BoundPart => {
        const made = { ...part, bound: new Map<number, readonly BoundKernel[]>() };
        // A step mustn't be the first to bind: once for each buffer of the states' pairs.
        if (part.kind === "loop") for (const parity of [0, 1]) bindPart(made, 1, parity);
        return made;
      };
      const copies = histories.map(({ reverse, part }) => ({ reverse, part: boundOf(part) }));
      const sections = program.sections.map(({ kind, parts }) => ({ kind, parts: parts.map(boundOf) }));

      const kernelsOf = (part: BoundPart, count: number, parity: number) =>
        part.bound.get(2 * count + parity) ?? bindPart(part, count, parity);
      // Loops by index: an iterator is an object, and a stream runs this at every step.
      return {
        run(count, parity) {
          for (let h = 0; count > 0 && h < copies.length; h++) {
            const { reverse, part } = copies[h] as (typeof copies)[number];
            runAll(kernelsOf(part, 1, parity), reverse ? count - 1 : 0);
          }
          for (let s = 0; s < sections.length; s++) {
            const { kind, parts } = sections[s] as (typeof sections)[number];
            const reverse = kind === "reverse";
            const whole = kind === "whole";
            const size = whole ? count : chunk;
            const chunks = whole ? 1 : batch && Math.ceil(count / size);
            let taken = parity as number;
            for (let c = 0; c < chunks; c++) {
              const first = (reverse ? chunks - 1 - c : c) * size;
              const covered = Math.min(size, count - first);
              for (let p = 0; p < parts.length; p++) {
                const part = parts[p] as BoundPart;
                if (part.kind === "rows") runAll(kernelsOf(part, covered, 0), first);
                else {
                  const even = kernelsOf(part, 1, 0);
                  const odd = kernelsOf(part, 1, 1);
                  for (let i = 0; i < covered; i++)
                    runAll((taken + i) & 1 ? odd : even, first + (reverse ? covered - 1 - i : i));
                }
              }
              taken += covered;
            }
          }
        },
      };
    });
  return { bind };
}

function runAll(kernels: readonly BoundKernel[], step: number): void {
  for (let k = 0; k < kernels.length; k++) (kernels[k] as BoundKernel).run(step);
}
