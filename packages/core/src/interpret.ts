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
  PreparedKernel,
  PreparedProgram,
  Program,
  View,
} from "./backend.ts";
import { fail } from "./errors.ts";
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

/** Kernels in order, bound. */
type Run = readonly BoundKernel[];

/** A launch that copies a state into the slot of its history before the first step. */
const copyTo = (history: Operand, state: number): Launch => ({
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
});

export function interpret(program: Program, backend: Backend): PreparedProgram {
  const histories = program.states.flatMap(({ buffer, reverse, history }) =>
    history ? [{ reverse, launches: [copyTo(history, buffer)] }] : [],
  );
  const prepared = new Map<Launch, PreparedKernel>();
  for (const { launches } of [...histories, ...program.sections.flatMap(({ parts }) => parts)])
    for (const launch of launches) prepared.set(launch, backend.prepare(launch.kernel));

  const bind: PreparedProgram["bind"] = (steps, batch, shared) =>
    owning((owner) => {
      const chunk = chunkLength(steps, batch, backend.limits.rows);
      const buffers = program.buffers.map((spec, i): readonly (DeviceBuffer | undefined)[] => {
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
          buffer:
            buffers[o.buffer]?.[which] ??
            fail("INTERNAL", `program ${program.name}: expected a buffer for ${spec.name}, got none`),
          offset: o.column + o.row * spec.width + o.shift * stepStride,
          rowStride: o.repeatRow ? 0 : spec.width,
          columnStride: o.repeatColumn ? 0 : 1,
          stepStride,
          slots: Math.max(1, slotsOf(spec, steps, chunk) - o.shift),
        };
      };

      /** Bind launches that cover `count` steps at once. */
      const bindAll = (launches: readonly Launch[], count: number, parity: number): Run => {
        const rowsOf = (rows: Launch["rows"]): number =>
          rows === "steps" ? count * batch : rows === "batch" ? batch : rows;
        return launches.map((launch) => {
          const { kernel, inputs, outputs, rows } = launch;
          let table: Launch["rows"] | undefined;
          if (kernel.op === "scatterAdd") table = kernel.tableRows;
          if (kernel.op === "gather") table = program.buffers[inputs[0]?.buffer ?? 0]?.rows;
          return (prepared.get(launch) as PreparedKernel).bind(
            rowsOf(rows),
            [...inputs, ...outputs].map((o) => view(o, parity)),
            // A table of rows by step and batch is a whole sequence.
            table === undefined ? undefined : rowsOf(table === "batch" ? "steps" : table),
          );
        });
      };
      /** Kernels that run a step at a time: once for each buffer of the states' pairs. */
      const bindPair = (launches: readonly Launch[]): readonly Run[] =>
        [0, 1].map((parity) => bindAll(launches, 1, parity));

      const copies = histories.map(({ reverse, launches }) => ({ reverse, pair: bindPair(launches) }));
      const sections = program.sections.map(({ kind, parts }) => ({
        kind,
        parts: parts.map(({ kind: how, launches }) => ({
          launches,
          pair: how === "loop" ? bindPair(launches) : undefined,
          /** Kernels over all rows at once, by how many steps they cover. */
          bySteps: new Map<number, Run>(),
        })),
      }));
      type BoundPart = (typeof sections)[number]["parts"][number];

      const over = ({ launches, bySteps }: BoundPart, count: number): Run => {
        let kernels = bySteps.get(count);
        if (!kernels) {
          // Sequences of ever new lengths mustn't fill the memory.
          if (bySteps.size >= 128) bySteps.clear();
          bySteps.set(count, (kernels = bindAll(launches, count, 0)));
        }
        return kernels;
      };

      return {
        run(count, parity) {
          if (count > 0)
            for (const { reverse, pair } of copies) runAll(pair[parity] as Run, reverse ? count - 1 : 0);
          for (const { kind, parts } of sections) {
            const reverse = kind === "reverse";
            const size = kind === "whole" ? count : chunk;
            const chunks = kind === "whole" ? 1 : batch === 0 ? 0 : Math.ceil(count / size);
            let taken = 0;
            for (let c = 0; c < chunks; c++) {
              const first = (reverse ? chunks - 1 - c : c) * size;
              const covered = Math.min(size, count - first);
              for (const part of parts)
                if (part.pair)
                  for (let i = 0; i < covered; i++)
                    runAll(
                      part.pair[(parity + taken + i) & 1] as Run,
                      first + (reverse ? covered - 1 - i : i),
                    );
                else runAll(over(part, covered), first);
              taken += covered;
            }
          }
        },
      };
    });
  return { bind };
}

function runAll(kernels: Run, step: number): void {
  for (let k = 0; k < kernels.length; k++) (kernels[k] as BoundKernel).run(step);
}
