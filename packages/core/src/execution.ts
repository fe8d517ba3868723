/**
 * A program bound to a size: the buffers that core shares with the backend (inputs, outputs, states), and how values get in
 * and out of them.
 */
import type {
  Backend,
  BufferSpec,
  DeviceBuffer,
  Operand,
  PreparedProgram,
  Program,
  StateSpec,
} from "./backend.ts";
import { interpret, lengthOf, type Parity } from "./interpret.ts";
import { owning } from "./owner.ts";
import type { Columns } from "./tensor.ts";

/** A compiled program, ready to be bound to sizes. */
export interface Plan {
  readonly program: Program;
  readonly prepared: PreparedProgram;
}

export const prepare = (program: Program, backend: Backend): Plan => ({
  program,
  prepared: backend.prepareProgram?.(program) ?? interpret(program, backend),
});

/** Where values lie: columns of rows, the first of which begins at `offset`. */
export interface Place extends Columns {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
}

export interface Execution {
  readonly program: Program;
  /** The largest number of steps it will run at once. */
  readonly steps: number;
  readonly batch: number;
  /** An input that the program doesn't use is passed over. */
  writeInput(name: string, data: Float32Array): void;
  /** Set a state before the first step. Without data: its initial value. */
  writeState(name: string, data: Float32Array | undefined): void;
  /** Run from the current states. */
  run(steps: number): void;
  /** Where an output lies. */
  output(name: string): Place;
  /** Where a state lies now. */
  state(name: string): Place;
  dispose(): void;
}

/** @param parameters the buffer of each storage */
export const execute = (
  { program, prepared }: Plan,
  backend: Backend,
  parameters: ReadonlyMap<string, DeviceBuffer>,
  steps: number,
  batch: number,
): Execution =>
  owning((owner) => {
    const buffers = new Map<number, readonly DeviceBuffer[]>();
    program.buffers.forEach((spec, index) => {
      const { role, name } = spec;
      const shared = () => owner.alloc(backend, lengthOf(spec, batch, steps, steps));
      if (role === "parameter") buffers.set(index, [parameters.get(name) as DeviceBuffer]);
      else if (role === "state") buffers.set(index, [shared(), shared()]);
      else if (role !== "value" && role !== "constant") buffers.set(index, [shared()]);
    });
    const bound = owner.own(prepared.bind(steps, batch, buffers));
    let parity: Parity = 0;
    const initials: Record<string, Float32Array> = {};

    const buffer = (index: number, which = 0) => buffers.get(index)?.[which] as DeviceBuffer;
    const stateOf = (name: string) => program.states.find((s) => s.name === name) as StateSpec;
    const width = (index: number) => (program.buffers[index] as BufferSpec).width;
    return {
      program,
      steps,
      batch,
      writeInput(name, data) {
        const index = program.inputs[name];
        if (index !== undefined) backend.write(buffer(index), data, 0);
      },
      writeState(name, data) {
        const { buffer: index, initial } = stateOf(name);
        data ??= initials[name] ??= new Float32Array(batch * width(index)).fill(initial);
        backend.write(buffer(index, parity), data, 0);
      },
      run(count) {
        bound.run(count, parity);
        parity = ((parity + count) & 1) as Parity;
      },
      output(name) {
        const output = program.outputs[name] as Operand;
        const stride = width(output.buffer);
        return {
          buffer: buffer(output.buffer),
          offset: (output.shift * batch + output.row) * stride,
          column: output.column,
          width: output.width,
          stride,
        };
      },
      state(name) {
        const state = stateOf(name);
        const stride = width(state.buffer);
        return { buffer: buffer(state.buffer, parity), offset: 0, column: 0, width: stride, stride };
      },
    };
  });
