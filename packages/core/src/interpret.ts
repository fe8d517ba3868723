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
import { copyOf } from "./compile/copy.ts";
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

type Kernels = readonly BoundKernel[];

export function interpret(program: Program, backend: Backend): PreparedProgram {
  // What a run begins with: each state goes into the slot of its history before the first step.
  const histories = program.states.flatMap(({ buffer, reverse, history }) => {
    if (!history) return [];
    const state: Operand = { ...history, buffer, column: 0, shift: 0, pair: "current" };
    return [{ reverse, launches: [copyOf(state, history, "batch")] }];
  });
  const prepared = new Map<Launch, PreparedKernel>();
  for (const { launches } of [...histories, ...program.sections.flatMap(({ parts }) => parts)])
    for (const launch of launches) prepared.set(launch, backend.prepare(launch.kernel));

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

      /** Bind kernels so that they cover `count` steps at once. */
      const bindAll = (launches: readonly Launch[], count: number, parity = 0): Kernels =>
        launches.map((launch) => {
          const { kernel, inputs, outputs } = launch;
          const rowsOf = (rows: Launch["rows"]): number =>
            rows === "steps" ? count * batch : rows === "batch" ? batch : rows;
          let table: Launch["rows"] | undefined;
          if (kernel.op === "scatterAdd") table = kernel.tableRows;
          if (kernel.op === "gather") table = program.buffers[inputs[0]?.buffer ?? 0]?.rows;
          return (prepared.get(launch) as PreparedKernel).bind(
            rowsOf(launch.rows),
            [...inputs, ...outputs].map((o) => view(o, parity)),
            // A table of rows by step and batch is a whole sequence.
            table && rowsOf(table === "batch" ? "steps" : table),
          );
        });
      /** A loop's kernels, once for each buffer of the states' pairs: a step mustn't be the first to bind. */
      const pairOf = ({ launches }: Pick<Part, "launches">): readonly Kernels[] =>
        [0, 1].map((parity) => bindAll(launches, 1, parity));
      const copies = histories.map((history) => ({ reverse: history.reverse, pair: pairOf(history) }));
      const sections = program.sections.map(({ kind, parts }) => ({
        kind,
        parts: parts.map((part) => ({
          launches: part.launches,
          pair: part.kind === "loop" ? pairOf(part) : undefined,
          /** By how many steps they cover. */
          bound: new Map<number, Kernels>(),
        })),
      }));

      // Loops by index: an iterator is an object, and a stream runs this at every step.
      return {
        run(count, parity) {
          for (let h = 0; count > 0 && h < copies.length; h++) {
            const { reverse, pair } = copies[h] as (typeof copies)[number];
            runAll(pair[parity] as Kernels, reverse ? count - 1 : 0);
          }
          for (let s = 0; s < sections.length; s++) {
            const { kind, parts } = sections[s] as (typeof sections)[number];
            const reverse = kind === "reverse";
            const whole = kind === "whole";
            const size = whole ? count : chunk;
            const chunks = whole ? 1 : batch && Math.ceil(count / size);
            for (let c = 0; c < chunks; c++) {
              const first = (reverse ? chunks - 1 - c : c) * size;
              const covered = Math.min(size, count - first);
              for (let p = 0; p < parts.length; p++) {
                const { launches, pair, bound } = parts[p] as (typeof parts)[number];
                if (pair)
                  for (let i = 0; i < covered; i++) {
                    const step = first + (reverse ? covered - 1 - i : i);
                    const taken = reverse ? count - 1 - step : step;
                    runAll(pair[(parity + taken) & 1] as Kernels, step);
                  }
                else {
                  let kernels = bound.get(covered);
                  if (!kernels) {
                    // Sequences of ever new lengths mustn't fill the memory.
                    if (bound.size >= 64) bound.clear();
                    bound.set(covered, (kernels = bindAll(launches, covered)));
                  }
                  runAll(kernels, first);
                }
              }
            }
          }
        },
      };
    });
  return { bind };
}

function runAll(kernels: Kernels, step: number): void {
  for (let k = 0; k < kernels.length; k++) (kernels[k] as BoundKernel).run(step);
}
