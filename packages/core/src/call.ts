/** What a call brings: its inputs, lengths and states, checked before a backend sees any of it. */
import type { Engine, Recipe } from "./engine.ts";
import { fail } from "./errors.ts";
import type { Execution } from "./execution.ts";
import { check, checkOneOf, checkOptions, checkWhole, isRecord, show } from "./check.ts";
import type { Sizes } from "./ragged.ts";
import { checkTensor, list, readTensors, swapAxes, type IdTensor, type Tensor, type Tensors } from "./tensor.ts"; // prettier-ignore

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

export interface Call extends Sizes {
  readonly batchFirst?: boolean;
  /** What is to be written, by the names of the program's inputs and states. */
  readonly inputs: Map<string, Float32Array>;
  readonly states: Map<string, Float32Array>;
}

export function readCall(
  { graph }: Engine,
  x: Input,
  options: SequenceOptions,
  further: readonly string[],
): Call {
  checkOptions(options, ["state", "lengths", "batchFirst", ...further], "options");
  const { state = {}, lengths, batchFirst = false } = options;
  checkOneOf(batchFirst, [true, false], "batchFirst");
  const names = [...graph.inputs.keys()];
  const tensors = named(x, names);
  let sizes: readonly (number | string)[] = batchFirst ? ["batch", "time"] : ["time", "batch"];
  const inputs = new Map<string, Float32Array>();
  for (const [name, { width }] of graph.inputs) {
    const who = `input ${name}`;
    const given = tensors[name];
    if (!given)
      fail("UNKNOWN_NAME", `${who}: expected a tensor, got none; the network's inputs are ${list(names)}`);
    const { shape, data } = given;
    const floats = data && (graph.ids.get(name)?.({ ...given, ...options }, who) ?? (data as Float32Array));
    const flat = width === 1 && shape?.length === 2;
    checkTensor(floats ? { shape, data: floats } : given, flat ? sizes : [...sizes, width], who);
    sizes = shape.slice(0, 2);
    const [first, second] = sizes as [number, number];
    inputs.set(name, batchFirst ? swapAxes(floats, first, second, width) : floats);
  }
  const [steps, batch] = (batchFirst ? [sizes[1], sizes[0]] : sizes) as [number, number];
  if (lengths !== undefined) checkLengths(lengths, steps, batch);
  return {
    steps,
    batch,
    batchFirst,
    lengths: lengths && Array.from(lengths).some((n) => n !== steps) ? lengths : undefined,
    inputs,
    states: readStates(graph, state, batch),
  };
}

function named(x: unknown, names: readonly string[]): Readonly<Record<string, Tensor | IdTensor>> {
  check(isRecord(x), "input", "a tensor { shape, data }", x);
  if ("shape" in x && "data" in x) {
    if (names.length !== 1) check(false, "input", `tensors for ${list(names)} by name`, x);
    return { [names[0] as string]: x as unknown as Tensor };
  }
  for (const name of Object.keys(x))
    if (!names.includes(name)) fail("UNKNOWN_NAME", `input ${name}: expected one of ${list(names)}`);
  return x as unknown as Tensors;
}

function checkLengths(lengths: unknown, steps: number, batch: number): void {
  const given = lengths as ArrayLike<unknown> | null;
  if (typeof given !== "object" || given?.length !== batch)
    fail("SHAPE_MISMATCH", `lengths: expected ${batch}, one a row, got ${show(given?.length ?? given)}`);
  for (let b = 0; b < batch; b++) checkWhole(given[b], `lengths: row ${b}`, 0, steps);
}

/** States by name, [batch, width]. */
export const readStates = (
  graph: Engine["graph"],
  given: Tensors,
  batch: number,
): Map<string, Float32Array> => readTensors(given, "state", graph.states, ({ width }) => [batch, width]);

/** Write a call's inputs and states; states that it doesn't bring go to their initial value. */
export function writeCall({ graph }: Engine, execution: Execution, call: Call): void {
  const { steps, batch, lengths, inputs, states } = call;
  for (const [name, data] of inputs) execution.writeInput(name, data);
  for (const [name, derive] of graph.derived) execution.writeInput(name, derive(call));
  if (lengths)
    execution.writeInput(
      "mask",
      Float32Array.from({ length: steps * batch }, (_, i) =>
        Math.floor(i / batch) < (lengths[i % batch] as number) ? 1 : 0,
      ),
    );
  for (const { name } of execution.program.states) execution.writeState(name, states.get(name));
}

/** Run a program on what a call brings. */
export function perform(engine: Engine, recipe: Recipe, call: Call): Execution {
  const execution = engine.kept(recipe, call.steps, call.batch);
  writeCall(engine, execution, call);
  execution.run(call.steps);
  return execution;
}
