/** Streams: one frame at a time, the state kept on the backend. */
import { readStates, writeCall } from "./call.ts";
import type { Engine } from "./engine.ts";
import { fail } from "./errors.ts";
import { answering, lane } from "./lane.ts";
import type { Graph, Node } from "./expr.ts";
import { checkOptions, checkWhole, kindOf } from "./check.ts";
import { collect, wantStates } from "./results.ts";
import { pickRows, type Tensor } from "./tensor.ts";

/** One array, or several by input (or output) name: [batch, width], row-major. */
export type Frame = Float32Array | Readonly<Record<string, Float32Array>>;

export interface StreamOptions {
  /** How many sequences go side by side. Default: 1. */
  readonly batch?: number;
}

/** What both kinds of stream share. */
interface Steps {
  readonly batch: number;
  /** Back to the initial states. */
  reset(): void;
  /** Set the states; those not given go back to their initial value. */
  restore(state: Readonly<Record<string, Tensor>>): void;
  dispose(): void;
  [Symbol.dispose](): void;
}

/** A stream on a backend that answers later. */
export interface Stream extends Steps {
  /**
   * One step.
   * @param frame the input at this step, [batch, width]
   * @param into receives the output (or the outputs by name); without it an array is made
   */
  step(frame: Frame, into?: Frame): Promise<Frame>;
  /** A copy of the states, by name, [batch, width]. */
  save(): Promise<Record<string, Tensor>>;
  /** Another stream that goes on from here. */
  fork(): Promise<Stream>;
}

/** A stream on a backend that answers at once. */
export interface SyncStream extends Steps {
  /**
   * One step. Allocates nothing when `into` is given.
   * @param frame the input at this step, [batch, width]
   * @param into receives the output (or the outputs by name); without it an array is made
   */
  step(frame: Frame): Frame;
  step<F extends Frame>(frame: Frame, into: F): F;
  /** A copy of the states, by name, [batch, width]. */
  save(): Record<string, Tensor>;
  /** Another stream that goes on from here. */
  fork(): SyncStream;
}

/** How streams run a network. */
const recipe = {
  name: "stream",
  build: {},
  of: ({ outputs, states }: Graph) => ({ outputs, states: [...states.values()] }),
};

/** One array of a frame. */
interface Slot {
  readonly name: string;
  readonly length: number;
  /** How many arrays the frame has. */
  readonly count: number;
  readonly who: string;
}

export function openStream(engine: Engine, options: StreamOptions): Stream | SyncStream {
  engine.alive();
  checkOptions(options, ["batch"], "stream");
  const { batch = 1 } = options;
  checkWhole(batch, "stream: batch", 1);
  const { graph, backend } = engine;
  const reverse = graph.loops.find((loop) => loop.reverse);
  if (reverse)
    fail(
      "UNSUPPORTED",
      `stream: expected a network that goes forward in time, but ${reverse.name} runs in reverse; run it over whole sequences`,
    );
  const execution = engine.bind(recipe, 1, batch);
  const calls = lane(backend, "stream", engine);

  const slots = (nodes: ReadonlyMap<string, Node>, who: string): readonly Slot[] =>
    [...nodes].map(([name, { width }]) => ({
      name,
      length: width * batch,
      count: nodes.size,
      who: `stream.step: ${who}`,
    }));
  const inputs = slots(graph.inputs, "frame").map((slot) => ({ ...slot, ids: graph.ids.get(slot.name) }));
  const outputs = slots(graph.outputs, "into").map((slot) => {
    const place = execution.output(slot.name);
    return { ...slot, place, into: new Float32Array(batch * place.stride) };
  });

  /** Hand out what a step has left. */
  const deliver = (into: Frame | undefined): Frame => {
    const frame =
      into ?? Object.fromEntries(outputs.map(({ name, length }) => [name, new Float32Array(length)]));
    for (let i = 0; i < outputs.length; i++) {
      const output = outputs[i] as (typeof outputs)[number];
      pickRows(output.into, output.place, part(frame, output));
    }
    return into ?? (outputs.length === 1 ? part(frame, outputs[0] as Slot) : frame);
  };
  const saving = <R>(then: (state: Record<string, Tensor>) => R): R | Promise<R> => {
    calls.idle();
    return collect(calls, { state: wantStates(execution, graph.states.values()) }, ({ state }) =>
      then(state),
    );
  };
  const restore = (state: Readonly<Record<string, Tensor>>): void => {
    calls.idle();
    writeCall(engine, execution, {
      steps: 1,
      batch,
      inputs: new Map(),
      states: readStates(graph, state, batch),
    });
  };
  const dispose = (): void => {
    calls.dispose();
    engine.release(execution);
  };
  restore({});

  return {
    batch,
    step: answering(backend, (frame: Frame, into?: Frame) => {
      calls.idle();
      if (into !== undefined) for (let i = 0; i < outputs.length; i++) part(into, outputs[i] as Slot);
      // Inputs that were written before another is refused change nothing: every step writes all of them.
      for (let i = 0; i < inputs.length; i++) {
        const input = inputs[i] as (typeof inputs)[number];
        const data = part(frame, input);
        input.ids?.(data, input.who);
        execution.writeInput(input.name, data);
      }
      execution.run(1);
      return calls.read(outputs, deliver, into);
    }),
    save: answering(backend, () => saving((state) => state)),
    fork: answering(backend, () =>
      saving((state) => {
        const copy = openStream(engine, { batch });
        copy.restore(state);
        return copy;
      }),
    ),
    reset: () => restore({}),
    restore,
    dispose,
    [Symbol.dispose]: dispose,
  } as Stream | SyncStream;
}

/** A frame's array, checked. */
function part(frame: Frame, { name, length, count, who }: Slot): Float32Array {
  const single = frame instanceof Float32Array;
  const data: unknown = single ? frame : (frame as Exclude<Frame, Float32Array> | null | undefined)?.[name];
  if (!(data instanceof Float32Array) || (single && count > 1))
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected ${count > 1 ? "by name " : ""}a Float32Array of ${length} for ${name}, got ${kindOf(data ?? frame)}`,
    );
  if (data.length !== length)
    fail("SHAPE_MISMATCH", `${who}: expected ${length} values for ${name}, got ${data.length}`);
  return data;
}
