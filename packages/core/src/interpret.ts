/**
 * Runs a program with a backend's five kernels: allocates the values between them, binds every kernel once, and walks the
 * sections. What a backend with `prepareProgram` does in its own way.
 */
import type {
  Backend,
  BoundKernel,
  BoundProgram,
  BufferSpec,
  DeviceBuffer,
  Launch,
  Operand,
  PreparedKernel,
  PreparedProgram,
  Program,
  Section,
  View,
} from "./backend.ts";
import { fail } from "./errors.ts";

/** Rows before a loop are computed for this many steps at once, or more where the batch is small. */
const chunkSteps = 16;
const chunkRows = 64;

/** How many steps a chunk has, where a kernel may be bound to `rows` rows. */
export function chunkLength(steps: number, batch: number, rows: number): number {
  const wanted = Math.max(chunkSteps, Math.ceil(chunkRows / Math.max(1, batch)));
  return Math.max(1, Math.min(steps, wanted, Math.floor(rows / Math.max(1, batch))));
}

export function interpret(program: Program, backend: Backend): PreparedProgram {
  const prepared = new Map<Launch, PreparedKernel>();
  for (const section of program.sections)
    for (const part of section.parts)
      for (const launch of part.launches) prepared.set(launch, backend.prepare(launch.kernel));
  return {
    bind: (steps, batch, shared) => new Interpreter(program, backend, prepared, steps, batch, shared),
  };
}

export const rowsOf = ({ rows }: BufferSpec, batch: number): number => (rows === "batch" ? batch : rows);

export const slotsOf = ({ slots }: BufferSpec, steps: number, chunk: number): number =>
  slots === "steps" ? steps : slots === "steps+1" ? steps + 1 : slots === "chunk" ? chunk : slots;

/** How many values a buffer holds; at least one, so that an empty batch needs no special case. */
export const lengthOf = (spec: BufferSpec, batch: number, slots: number): number =>
  Math.max(1, rowsOf(spec, batch) * spec.width) * Math.max(1, slots);

type Parity = 0 | 1;

/** A loop's kernels, once for each buffer of the states' pairs, or a row part's kernels by how many steps they cover. */
type Bound =
  | { readonly kind: "loop"; readonly pair: readonly [readonly BoundKernel[], readonly BoundKernel[]] }
  | {
      readonly kind: "rows";
      readonly launches: readonly Launch[];
      readonly bySteps: Map<number, readonly BoundKernel[]>;
    };

interface StateHistory {
  readonly reverse: boolean;
  readonly pair: readonly [BoundKernel, BoundKernel];
}

class Interpreter implements BoundProgram {
  readonly #owned: DeviceBuffer[] = [];
  readonly #buffers: (readonly DeviceBuffer[])[] = [];
  readonly #sections: { readonly section: Section; readonly parts: readonly Bound[] }[];
  readonly #chunk: number;
  /** Copies of the states into their histories, by parity. */
  readonly #histories: readonly StateHistory[];

  constructor(
    readonly program: Program,
    readonly backend: Backend,
    readonly prepared: ReadonlyMap<Launch, PreparedKernel>,
    readonly steps: number,
    readonly batch: number,
    shared: ReadonlyMap<number, readonly DeviceBuffer[]>,
  ) {
    this.#chunk = chunkLength(steps, batch, backend.limits.rows);
    try {
      program.buffers.forEach((spec, i) => {
        this.#buffers.push(shared.get(i) ?? [this.#allocate(spec)]);
      });
      this.#histories = program.states.flatMap(({ buffer, reverse, history }) =>
        history ? [{ reverse, pair: [this.#copy(buffer, history, 0), this.#copy(buffer, history, 1)] }] : [],
      );
      this.#sections = program.sections.map((section) => ({
        section,
        parts: section.parts.map((part): Bound =>
          part.kind === "loop"
            ? { kind: "loop", pair: [this.#bind(part.launches, 1, 0), this.#bind(part.launches, 1, 1)] }
            : { kind: "rows", launches: part.launches, bySteps: new Map() },
        ),
      }));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  #allocate(spec: BufferSpec): DeviceBuffer {
    const buffer = this.backend.alloc(lengthOf(spec, this.batch, this.#slots(spec)));
    this.#owned.push(buffer);
    if (spec.data) this.backend.write(buffer, Float32Array.from(spec.data), 0);
    return buffer;
  }

  #slots(spec: BufferSpec): number {
    return slotsOf(spec, this.steps, this.#chunk);
  }

  #view(o: Operand, parity: Parity): View {
    const spec = this.program.buffers[o.buffer] as BufferSpec;
    const pair = this.#buffers[o.buffer] as readonly DeviceBuffer[];
    const buffer = o.pair === undefined ? pair[0] : pair[o.pair === "current" ? parity : 1 - parity];
    if (!buffer) fail("INTERNAL", `buffer ${spec.name} of program ${this.program.name} wasn't given`);
    const stepStride = spec.slots === 1 ? 0 : rowsOf(spec, this.batch) * spec.width;
    return {
      buffer,
      offset: o.column + o.row * spec.width + o.shift * stepStride,
      rowStride: o.repeatRow ? 0 : spec.width,
      columnStride: o.repeatColumn ? 0 : 1,
      stepStride,
      slots: Math.max(1, this.#slots(spec) - o.shift),
    };
  }

  #copy(state: number, to: Operand, parity: Parity): BoundKernel {
    const from: Operand = { ...to, buffer: state, column: 0, shift: 0, pair: "current" };
    const kernel = this.backend.prepare({
      op: "map", width: to.width, inputs: 1, instructions: [{ fn: "copy", args: [{ input: 0 }] }], outputs: [0],
    }); // prettier-ignore
    return kernel.bind(this.batch, [this.#view(from, parity), this.#view(to, parity)]);
  }

  /** Bind launches that cover `steps` steps at once. */
  #bind(launches: readonly Launch[], steps: number, parity: Parity): readonly BoundKernel[] {
    return launches.map((launch) => {
      const rows =
        launch.rows === "steps" ? steps * this.batch : launch.rows === "batch" ? this.batch : launch.rows;
      const views = [...launch.inputs, ...launch.outputs].map((o) => this.#view(o, parity));
      const kernel = this.prepared.get(launch) as PreparedKernel;
      return kernel.bind(rows, views, this.#tableRows(launch, steps));
    });
  }

  #tableRows({ kernel, inputs }: Launch, steps: number): number | undefined {
    if (kernel.op === "scatterAdd")
      return kernel.tableRows === "steps" ? steps * this.batch : kernel.tableRows;
    if (kernel.op !== "gather") return undefined;
    const table = this.program.buffers[(inputs[0] as Operand).buffer] as BufferSpec;
    return table.rows === "batch" ? steps * this.batch : table.rows;
  }

  run(steps: number, parity: Parity): void {
    if (steps > 0)
      for (let i = 0; i < this.#histories.length; i++) {
        const { reverse, pair } = this.#histories[i] as StateHistory;
        pair[parity].run(reverse ? steps - 1 : 0);
      }
    for (const { section, parts } of this.#sections) {
      if (section.kind === "whole") this.#span(parts, 0, steps, false, parity);
      else if (this.batch === 0) continue;
      else if (section.kind === "forward")
        for (let first = 0; first < steps; first += this.#chunk)
          this.#span(
            parts,
            first,
            Math.min(this.#chunk, steps - first),
            false,
            ((parity + first) & 1) as Parity,
          );
      else
        for (
          let first = Math.floor((steps - 1) / this.#chunk) * this.#chunk;
          first >= 0;
          first -= this.#chunk
        ) {
          const count = Math.min(this.#chunk, steps - first);
          this.#span(parts, first, count, true, ((parity + steps - first - count) & 1) as Parity);
        }
    }
  }

  /** Run the parts for `count` steps from `first`; `parity` is that of the first step taken. */
  #span(parts: readonly Bound[], first: number, count: number, reverse: boolean, parity: Parity): void {
    for (let p = 0; p < parts.length; p++) {
      const part = parts[p] as Bound;
      if (part.kind === "rows") {
        let kernels = part.bySteps.get(count);
        if (!kernels) {
          // Sequences of ever new lengths mustn't fill the memory.
          if (part.bySteps.size >= 128) part.bySteps.clear();
          part.bySteps.set(count, (kernels = this.#bind(part.launches, count, 0)));
        }
        for (let k = 0; k < kernels.length; k++) (kernels[k] as BoundKernel).run(first);
      } else
        for (let i = 0; i < count; i++) {
          const kernels = part.pair[(parity + i) & 1] as readonly BoundKernel[];
          const step = reverse ? first + count - 1 - i : first + i;
          for (let k = 0; k < kernels.length; k++) (kernels[k] as BoundKernel).run(step);
        }
    }
  }

  dispose(): void {
    for (const buffer of this.#owned.splice(0)) this.backend.free(buffer);
  }
}
