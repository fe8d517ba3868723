/**
 * A program bound to a size: the buffers that core shares with the backend (inputs, outputs, states), and how values get in
 * and out of them.
 */
import type { Backend, BufferSpec, DeviceBuffer, PreparedProgram, Program } from "./backend.ts";
import { fail } from "./errors.ts";
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
    for (const [name, index] of Object.entries(program.parameters))
      buffers.set(index, [found(parameters.get(name), name)]);
    program.buffers.forEach((spec, index) => {
      const shared = () => owner.alloc(backend, lengthOf(spec, batch, steps, steps));
      if (spec.role === "state") buffers.set(index, [shared(), shared()]);
      else if (["input", "output", "history"].includes(spec.role)) buffers.set(index, [shared()]);
    });
    const bound = owner.own(prepared.bind(steps, batch, buffers));
    let parity: Parity = 0;

    const place = (index: number, which = 0): Place => {
      const { width } = program.buffers[index] as BufferSpec;
      const buffer = found(buffers.get(index)?.[which], index);
      return { buffer, offset: 0, column: 0, width, stride: width };
    };
    const stateOf = (name: string) => found(program.states.find((s) => s.name === name), name); // prettier-ignore
    const state = (name: string): Place => place(stateOf(name).buffer, parity);

    return {
      program,
      steps,
      batch,
      writeInput(name, data) {
        const index = program.inputs[name];
        if (index !== undefined) backend.write(place(index).buffer, data, 0);
      },
      writeState(name, data) {
        const { buffer, width } = state(name);
        backend.write(buffer, data ?? new Float32Array(batch * width).fill(stateOf(name).initial), 0);
      },
      run(count) {
        bound.run(count, parity);
        parity = ((parity + count) & 1) as Parity;
      },
      output(name) {
        const { buffer, shift, row, column, width } = found(program.outputs[name], name);
        const whole = place(buffer);
        return { ...whole, offset: (shift * batch + row) * whole.stride, column, width };
      },
      state,
    };

    function found<T>(thing: T | undefined, name: string | number): T {
      return thing ?? fail("INTERNAL", `program ${program.name}: expected a buffer for ${name}, got none`);
    }
  });
