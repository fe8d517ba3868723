/**
 * A program bound to a size: the buffers that core shares with the backend (inputs, outputs, states), and how values get in
 * and out of them.
 */
import type { Backend, BoundProgram, BufferSpec, DeviceBuffer, PreparedProgram, Program } from "./backend.ts";
import { fail } from "./errors.ts";
import { interpret, lengthOf, slotsOf } from "./interpret.ts";

/** A compiled program, ready to be bound to sizes. */
export interface Plan {
  readonly program: Program;
  readonly prepared: PreparedProgram;
}

export const prepare = (program: Program, backend: Backend): Plan => ({
  program,
  prepared: backend.prepareProgram?.(program) ?? interpret(program, backend),
});

export class Execution {
  readonly #owned: DeviceBuffer[] = [];
  readonly #buffers = new Map<number, readonly DeviceBuffer[]>();
  readonly #bound: BoundProgram;
  readonly #states: ReadonlyMap<string, number>;
  #parity: 0 | 1 = 0;

  /**
   * @param parameters the buffer of each storage
   * @param steps the largest number of steps it will run at once
   */
  constructor(
    readonly plan: Plan,
    readonly backend: Backend,
    parameters: ReadonlyMap<string, DeviceBuffer>,
    readonly steps: number,
    readonly batch: number,
  ) {
    const { program } = plan;
    this.#states = new Map(program.states.map((s, i) => [s.name, i]));
    try {
      for (const [name, index] of Object.entries(program.parameters)) {
        const buffer = parameters.get(name);
        if (!buffer) fail("INTERNAL", `program ${program.name}: no parameter storage ${name}`);
        this.#buffers.set(index, [buffer]);
      }
      program.buffers.forEach((spec, index) => {
        if (spec.role === "input" || spec.role === "output" || spec.role === "history")
          this.#buffers.set(index, [this.#allocate(spec)]);
        if (spec.role === "state") this.#buffers.set(index, [this.#allocate(spec), this.#allocate(spec)]);
      });
      this.#bound = plan.prepared.bind(steps, batch, this.#buffers);
    } catch (error) {
      this.#free();
      throw error;
    }
  }

  #allocate(spec: BufferSpec): DeviceBuffer {
    const buffer = this.backend.alloc(lengthOf(spec, this.batch, slotsOf(spec, this.steps, this.steps)));
    this.#owned.push(buffer);
    return buffer;
  }

  has(input: string): boolean {
    return this.plan.program.inputs[input] !== undefined;
  }

  /** An input that the program doesn't use is passed over. */
  writeInput(name: string, data: Float32Array): void {
    const index = this.plan.program.inputs[name];
    if (index !== undefined) this.backend.write(this.#buffer(index), data, 0);
  }

  /** Set the state before the first step. Without data: its initial value. */
  writeState(name: string, data: Float32Array | undefined): void {
    const state = this.plan.program.states[this.#states.get(name) ?? -1];
    if (!state) return;
    const spec = this.plan.program.buffers[state.buffer] as BufferSpec;
    const values = data ?? new Float32Array(this.batch * spec.width).fill(state.initial);
    this.backend.write(this.#buffer(state.buffer, this.#parity), values, 0);
  }

  /** Run from the current states. */
  run(steps: number): void {
    this.#bound.run(steps, this.#parity);
    this.#parity = ((this.#parity + steps) & 1) as 0 | 1;
  }

  /** Where a state lies now. */
  stateBuffer(name: string): DeviceBuffer {
    const state = this.plan.program.states[this.#states.get(name) ?? -1];
    return state
      ? this.#buffer(state.buffer, this.#parity)
      : fail("UNKNOWN_NAME", `state ${name}: not in program ${this.plan.program.name}`);
  }

  /** Where an output lies: `rows` rows of `width`, in rows of `stride`, from `offset`. */
  outputPlace(name: string, steps: number, rows: "sequence" | "batch" | number): Place {
    const o = this.plan.program.outputs[name];
    if (!o) fail("UNKNOWN_NAME", `output ${name}: not in program ${this.plan.program.name}`);
    const spec = this.plan.program.buffers[o.buffer] as BufferSpec;
    const count = rows === "sequence" ? steps * this.batch : rows === "batch" ? this.batch : rows;
    return {
      buffer: this.#buffer(o.buffer),
      offset: (o.shift * this.batch + o.row) * spec.width,
      rows: count,
      width: o.width,
      stride: spec.width,
      column: o.column,
    };
  }

  #buffer(index: number, which = 0): DeviceBuffer {
    return (
      this.#buffers.get(index)?.[which] ??
      fail("INTERNAL", `program ${this.plan.program.name}: no buffer ${index}`)
    );
  }

  #free(): void {
    for (const buffer of this.#owned.splice(0)) this.backend.free(buffer);
  }

  dispose(): void {
    this.#bound.dispose();
    this.#free();
  }
}

export interface Place {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
  readonly rows: number;
  readonly width: number;
  readonly stride: number;
  readonly column: number;
}

/** Whether rows follow each other without a gap, so that they can be read straight into their destination. */
export const contiguous = (place: Place): boolean => place.width === place.stride;

/** Copy the wanted columns out of whole rows. */
export function takeColumns(
  from: Float32Array,
  { rows, width, stride, column }: Place,
  into: Float32Array,
): void {
  for (let r = 0; r < rows; r++)
    for (let j = 0; j < width; j++) into[r * width + j] = from[r * stride + column + j] as number;
}
