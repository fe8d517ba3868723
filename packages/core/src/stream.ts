/** Streams: one frame at a time, the state kept on the backend. */
import { readStates } from "./call.ts";
import type { Engine } from "./engine.ts";
import { fail } from "./errors.ts";
import { contiguous, takeColumns, type Execution, type Place } from "./execution.ts";
import { positive } from "./network.ts";
import type { Tensor } from "./tensor.ts";
import { kindOf } from "./tensor.ts";

/** One array, or several by input (or output) name: [batch, width], row-major. */
export type Frame = Float32Array | Readonly<Record<string, Float32Array>>;

interface Output {
  readonly name: string;
  readonly place: Place;
  /** For rows that are wider than the output. */
  readonly rows: Float32Array | undefined;
}

interface InputSlot {
  readonly name: string;
  readonly length: number;
  /** How many ids there are, where it holds ids; else 0. */
  readonly ids: number;
}

/** What both kinds of stream share. */
abstract class Steps {
  protected readonly execution: Execution;
  protected readonly outputs: readonly Output[];
  readonly #inputs: readonly InputSlot[];
  #open = true;
  protected busy = false;

  constructor(
    protected readonly engine: Engine,
    readonly batch: number,
  ) {
    engine.alive();
    positive(batch, "stream: batch");
    const { graph, network } = engine;
    const reverse = graph.loops.find((loop) => loop.reverse);
    if (reverse)
      fail(
        "UNSUPPORTED",
        `stream: expected a network that goes forward in time, but ${reverse.name} runs in reverse; run it over whole sequences`,
      );
    const { plan } = engine.plan("stream", {}, (g) => ({
      outputs: g.outputs,
      states: [...g.states.values()],
    }));
    this.execution = engine.bind(plan, 1, batch);
    engine.attach(this);
    this.#inputs = Object.entries(network.inputs).map(([name, width]) => ({
      name,
      length: width * batch,
      ids: graph.ids.get(name) ?? 0,
    }));
    this.outputs = [...graph.outputs].map(([name, node]) => {
      const place = this.execution.outputPlace(name, 1, node.domain === "batch" ? "batch" : "sequence");
      return {
        name,
        place,
        rows: contiguous(place) ? undefined : new Float32Array(place.rows * place.stride),
      };
    });
    if (this.execution.has("last"))
      this.execution.writeInput(
        "last",
        Float32Array.from({ length: batch }, (_, b) => b),
      );
    for (const name of graph.states.keys()) this.execution.writeState(name, undefined);
  }

  /** Check, write the frame, run. Allocates nothing. */
  protected begin(frame: Frame, into: Frame | undefined): void {
    this.idle();
    const count = this.#inputs.length;
    for (let i = 0; i < count; i++) {
      const { name, length, ids } = this.#inputs[i] as InputSlot;
      const data = part(frame, name, count, length, "frame");
      if (ids > 0) checkIds(data, ids, name);
    }
    if (into !== undefined)
      for (let i = 0; i < this.outputs.length; i++) {
        const { name, place } = this.outputs[i] as Output;
        this.outputOf(into, name, place);
      }
    for (let i = 0; i < count; i++) {
      const { name, length } = this.#inputs[i] as InputSlot;
      this.execution.writeInput(name, part(frame, name, count, length, "frame"));
    }
    this.execution.run(1);
  }

  protected outputOf(into: Frame, name: string, { rows, width }: Place): Float32Array {
    return part(into, name, this.outputs.length, rows * width, "into");
  }

  protected fresh(): Frame {
    const made = this.outputs.map(
      ({ name, place }) => [name, new Float32Array(place.rows * place.width)] as const,
    );
    return made.length === 1 ? (made[0] as readonly [string, Float32Array])[1] : Object.fromEntries(made);
  }

  /** Back to the initial states. */
  reset(): void {
    this.restore({});
  }

  /** Set the states; those not given go back to their initial value. */
  restore(state: Readonly<Record<string, Tensor>>): void {
    this.idle();
    const states = readStates(this.engine, state, this.batch);
    for (const name of this.engine.graph.states.keys()) this.execution.writeState(name, states.get(name));
  }

  /** Room for the states. */
  protected blankStates(): Record<string, Tensor> {
    const { batch } = this;
    const states = [...this.engine.graph.states.values()];
    return Object.fromEntries(
      states.map(({ name, width }) => [
        name,
        { shape: [batch, width], data: new Float32Array(batch * width) },
      ]),
    );
  }

  protected idle(): void {
    if (!this.#open)
      fail(
        "DISPOSED",
        "stream: expected a stream in use, got one that was disposed; open another with model.stream()",
      );
    if (this.busy)
      fail("BUSY", "stream: expected one step at a time, got a second while the first is awaited");
    this.engine.alive();
  }

  dispose(): void {
    if (!this.#open) return;
    this.#open = false;
    this.engine.detach(this);
    this.execution.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The array for one of `count` names, checked. */
function part(frame: Frame, name: string, count: number, length: number, who: string): Float32Array {
  const single = frame instanceof Float32Array;
  const data: unknown = single ? frame : (frame as Exclude<Frame, Float32Array> | null | undefined)?.[name];
  if (!(data instanceof Float32Array) || (single && count > 1))
    fail(
      "INVALID_ARGUMENT",
      `stream.step: ${who}: expected ${count > 1 ? "by name " : ""}a Float32Array of ${length} for ${name}, got ${kindOf(data ?? frame)}`,
    );
  if (data.length !== length)
    fail("SHAPE_MISMATCH", `stream.step: ${who}: expected ${length} values for ${name}, got ${data.length}`);
  return data;
}

function checkIds(data: Float32Array, count: number, name: string): void {
  for (let i = 0; i < data.length; i++) {
    const id = data[i] as number;
    if (!(Number.isInteger(id) && id >= 0 && id < count))
      fail("INVALID_ARGUMENT", `stream.step: expected ids from 0 to ${count - 1} for ${name}, got ${id}`);
  }
}

/** A stream on a backend that answers later. */
export class Stream extends Steps {
  /**
   * One step.
   * @param frame the input at this step, [batch, width]
   * @param into receives the output (or the outputs by name); without it an array is made
   */
  async step(frame: Frame, into?: Frame): Promise<Frame> {
    this.begin(frame, into);
    const target = into ?? this.fresh();
    await this.#exclusively(async () => {
      for (const { name, place, rows } of this.outputs) {
        const to = this.outputOf(target, name, place);
        await this.engine.backend.read(place.buffer, rows ?? to, place.offset);
        if (rows) takeColumns(rows, place, to);
      }
    });
    return target;
  }

  /** A copy of the states, by name, [batch, width]. */
  async save(): Promise<Record<string, Tensor>> {
    this.idle();
    const saved = this.blankStates();
    await this.#exclusively(async () => {
      for (const [name, { data }] of Object.entries(saved))
        await this.engine.backend.read(this.execution.stateBuffer(name), data, 0);
    });
    return saved;
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    this.busy = true;
    try {
      await work();
    } finally {
      this.busy = false;
      // It may have been disposed meanwhile.
      this.idle();
    }
  }

  /** Another stream that goes on from here. */
  async fork(): Promise<Stream> {
    const state = await this.save();
    const copy = new Stream(this.engine, this.batch);
    copy.restore(state);
    return copy;
  }
}

/** A stream on a backend that answers at once. */
export class SyncStream extends Steps {
  /**
   * One step. Allocates nothing when `into` is given.
   * @param frame the input at this step, [batch, width]
   * @param into receives the output (or the outputs by name); without it an array is made
   */
  step(frame: Frame): Frame;
  step<F extends Frame>(frame: Frame, into: F): F;
  step(frame: Frame, into?: Frame): Frame {
    this.begin(frame, into);
    const target = into ?? this.fresh();
    for (let i = 0; i < this.outputs.length; i++) {
      const { name, place, rows } = this.outputs[i] as Output;
      const to = this.outputOf(target, name, place);
      this.engine.backend.readSync?.(place.buffer, rows ?? to, place.offset);
      if (rows) takeColumns(rows, place, to);
    }
    return target;
  }

  /** A copy of the states, by name, [batch, width]. */
  save(): Record<string, Tensor> {
    this.idle();
    const saved = this.blankStates();
    for (const [name, { data }] of Object.entries(saved))
      this.engine.backend.readSync?.(this.execution.stateBuffer(name), data, 0);
    return saved;
  }

  /** Another stream that goes on from here. */
  fork(): SyncStream {
    const state = this.save();
    const copy = new SyncStream(this.engine, this.batch);
    copy.restore(state);
    return copy;
  }
}
