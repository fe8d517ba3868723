/** What a call brings: its inputs, lengths and states, checked before a backend sees any of it. */
import type { Engine } from "./engine.ts";
import { list } from "./engine.ts";
import { fail } from "./errors.ts";
import type { Execution } from "./execution.ts";
import { checkOptions } from "./options.ts";
import { checkRecord, checkTensor, kindOf, swapAxes, type IdTensor, type Tensor } from "./tensor.ts";

/** One input, or several by name. Time-major: [time, batch, features]; ids may be [time, batch]. */
export type Input = Tensor | IdTensor | Readonly<Record<string, Tensor | IdTensor>>;

export interface SequenceOptions {
  /** Initial states by name, [batch, width]; those not given begin at their initial value. */
  readonly state?: Readonly<Record<string, Tensor>>;
  /** How many steps each row has, from 0 to the number of steps. Default: all have all. */
  readonly lengths?: ArrayLike<number>;
  /** Inputs and outputs are [batch, time, features]. */
  readonly batchFirst?: boolean;
}

export interface Call {
  readonly steps: number;
  readonly batch: number;
  readonly masked: boolean;
  readonly inputs: ReadonlyMap<string, Float32Array>;
  readonly states: ReadonlyMap<string, Float32Array>;
  readonly lengths: ArrayLike<number> | undefined;
}

export function readCall(
  engine: Engine,
  x: Input,
  options: SequenceOptions,
  further: readonly string[],
): Call {
  checkOptions(options, ["state", "lengths", "batchFirst", ...further], "options");
  const { state = {}, lengths, batchFirst = false } = options;
  const tensors = named(engine, x);
  let sizes: readonly [number, number] | undefined;
  const inputs = new Map<string, Float32Array>();
  for (const [name, width] of Object.entries(engine.network.inputs)) {
    const given = tensors[name];
    if (!given)
      fail(
        "UNKNOWN_NAME",
        `input ${name}: expected a tensor, got none; the network's inputs are ${list(Object.keys(engine.network.inputs))}`,
      );
    const tensor = asFloats(given, engine.graph.ids.get(name), `input ${name}`);
    const [a, b] = sizes ?? (batchFirst ? ["batch", "time"] : ["time", "batch"]);
    const flat = tensor.shape.length === 2 && width === 1;
    checkTensor(tensor, flat ? [a, b] : [a, b, width], `input ${name}`);
    const [first, second] = tensor.shape as [number, number];
    sizes = [first, second];
    inputs.set(name, batchFirst ? swapAxes(tensor.data, first, second, width) : tensor.data);
  }
  const [first, second] = sizes ?? [0, 0];
  const [steps, batch] = batchFirst ? [second, first] : [first, second];
  if (lengths !== undefined) checkLengths(lengths, steps, batch);
  return {
    steps,
    batch,
    inputs,
    lengths,
    masked: lengths !== undefined && Array.from(lengths).some((n) => n !== steps),
    states: readStates(engine, state, batch),
  };
}

function named(engine: Engine, x: Input): Readonly<Record<string, Tensor | IdTensor>> {
  const names = Object.keys(engine.network.inputs);
  const given = x as unknown;
  if (typeof given !== "object" || given === null || ArrayBuffer.isView(given) || Array.isArray(given))
    fail("INVALID_ARGUMENT", `input: expected a tensor { shape, data }, got ${kindOf(given)}`);
  if ("shape" in given && "data" in given) {
    if (names.length !== 1)
      fail("INVALID_ARGUMENT", `input: expected tensors for ${list(names)} by name, got a single tensor`);
    return { [names[0] as string]: given as Tensor };
  }
  for (const key of Object.keys(given))
    if (!names.includes(key)) fail("UNKNOWN_NAME", `input ${key}: expected one of ${list(names)}`);
  return given as Readonly<Record<string, Tensor>>;
}

/** Float data as it is; ids are checked and converted. */
export function asFloats(tensor: Tensor | IdTensor, ids: number | undefined, who: string): Tensor {
  const given = tensor as Partial<IdTensor> | null;
  if (ids === undefined || !given?.shape || !given.data) return tensor as Tensor;
  const { data } = given;
  if (!(
    data instanceof Float32Array ||
    data instanceof Int32Array ||
    data instanceof Uint32Array ||
    data instanceof Uint16Array ||
    data instanceof Uint8Array
  ))
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected ids in an Int32Array, or another array of whole numbers, got ${kindOf(data)}`,
    );
  for (let i = 0; i < data.length; i++) {
    const id = data[i] as number;
    if (!(Number.isInteger(id) && id >= 0 && id < ids))
      fail("INVALID_ARGUMENT", `${who}: expected ids from 0 to ${ids - 1}, got ${id} at ${i}`);
  }
  return { shape: given.shape, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}

function checkLengths(lengths: ArrayLike<number>, steps: number, batch: number): void {
  const given = lengths as ArrayLike<number> | null;
  if (typeof given !== "object" || given?.length !== batch)
    fail(
      "SHAPE_MISMATCH",
      `lengths: expected ${batch}, one a row, got ${typeof given?.length === "number" ? given.length : kindOf(given)}`,
    );
  for (let b = 0; b < batch; b++) {
    const n = lengths[b] as number;
    if (!(Number.isInteger(n) && n >= 0 && n <= steps))
      fail(
        "INVALID_ARGUMENT",
        `lengths: expected whole numbers from 0 to ${steps} (the steps), got ${typeof n === "number" || typeof n === "string" ? n : kindOf(n)} for row ${b}`,
      );
  }
}

export function readStates(
  engine: Engine,
  state: Readonly<Record<string, Tensor>>,
  batch: number,
): ReadonlyMap<string, Float32Array> {
  checkRecord(state, "state");
  const states = new Map<string, Float32Array>();
  for (const [name, tensor] of Object.entries(state)) {
    const node = engine.graph.states.get(name);
    if (!node) fail("UNKNOWN_NAME", `state ${name}: expected one of ${list(engine.graph.states.keys())}`);
    checkTensor(tensor, [batch, node.width], `state ${name}`);
    states.set(name, tensor.data);
  }
  return states;
}

/** Indices are exact in float32 below this. */
const maxIndex = 2 ** 24;

/** Write a call's inputs and states. */
export function writeCall(
  execution: Execution,
  engine: Engine,
  { steps, batch, inputs, states, lengths }: Call,
): void {
  for (const [name, data] of inputs) execution.writeInput(name, data);
  if (execution.has("mask"))
    execution.writeInput(
      "mask",
      Float32Array.from({ length: steps * batch }, (_, i) =>
        Math.floor(i / batch) < (lengths?.[i % batch] ?? steps) ? 1 : 0,
      ),
    );
  if (execution.has("last")) {
    // Rows are found by float32 numbers, which count no further.
    if (steps * batch > maxIndex)
      fail(
        "UNSUPPORTED",
        `input: expected at most 2²⁴ rows (steps · batch) where the last is picked, got ${steps * batch}`,
      );
    execution.writeInput(
      "last",
      Float32Array.from({ length: batch }, (_, b) => lastRow(lengths?.[b] ?? steps, batch, b)),
    );
  }
  for (const name of engine.graph.states.keys()) execution.writeState(name, states.get(name));
}

/** The row, among all steps' rows, of a sequence's last step; −1 where it has none. */
const lastRow = (length: number, batch: number, b: number): number =>
  length === 0 ? -1 : (length - 1) * batch + b;

/** The shape of a result with a row a step, or a row a sequence. */
export function resultOf(
  data: Float32Array,
  domain: "sequence" | "batch",
  { steps, batch }: { readonly steps: number; readonly batch: number },
  width: number,
  batchFirst: boolean,
): Tensor {
  if (domain === "batch") return { shape: [batch, width], data };
  return batchFirst
    ? { shape: [batch, steps, width], data: swapAxes(data, steps, batch, width) }
    : { shape: [steps, batch, width], data };
}
