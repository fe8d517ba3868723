/** A model: a network with parameters, on a backend. */
import type { Backend, SyncBackend } from "./backend.ts";
import { perform, readCall, type Input, type SequenceOptions } from "./call.ts";
import { openEngine, type Engine, type ModelOptions, type Recipe } from "./engine.ts";
import type { Node } from "./expr.ts";
import type { Network } from "./network.ts";
import { check, checkOneOf, checkOptions } from "./check.ts";
import { collect, wantOutput, wantStates } from "./results.ts";
import { openStream, type Stream, type StreamOptions, type SyncStream } from "./stream.ts";
import type { Tensor } from "./tensor.ts";

export interface RunOptions extends SequenceOptions {
  /** "last": only the output at each row's last step, [batch, width]; 0 for an empty row. Default: "all". */
  readonly output?: "all" | "last";
  /** Return every gate and state at every step. */
  readonly trace?: boolean;
}

export interface RunResult {
  /** The network's output (its first, where there are several), [time, batch, width] or [batch, width]. */
  readonly output: Tensor;
  /** All outputs by name. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** The states after each row's last step, [batch, width]. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** With `trace`: every gate and state by name ("0.f"), [time, batch, width]; 0 past a row's end. */
  readonly trace: Readonly<Record<string, Tensor>>;
}

/** What both kinds of model share. */
export interface Model {
  /** What streams and gradients work with; not for use outside Recurra. */
  readonly engine: Engine;
  /**
   * Run whole sequences.
   * @throws RecurraError SHAPE_MISMATCH, INVALID_ARGUMENT or UNKNOWN_NAME where the call doesn't fit the network, before anything
   *   runs; BUSY while another call is awaited; DISPOSED; OUT_OF_MEMORY; DEVICE_LOST
   */
  run(x: Input, options?: RunOptions): Promise<RunResult>;
  /** Copies of all parameters, by name. */
  parameters(): Record<string, Tensor>;
  /**
   * Replace some or all parameters.
   * @throws RecurraError SHAPE_MISMATCH, UNKNOWN_NAME or NON_FINITE where one of them doesn't fit: then nothing changes
   */
  setParameters(parameters: Readonly<Record<string, Tensor>>): void;
  /** A line a layer, and the number of parameters. */
  summary(): string;
  /** Free the device memory of the model and its streams. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** A model on a backend that answers later. */
export interface AsyncModel extends Model {
  /** One frame at a time, the state kept. */
  stream(options?: StreamOptions): Stream;
}

/** A model on a backend that answers at once. */
export interface SyncModel extends Model {
  /** `run`, at once. */
  runSync(x: Input, options?: RunOptions): RunResult;
  /** One frame at a time, the state kept. */
  stream(options?: StreamOptions): SyncStream;
}

/**
 * Put a network on a backend, with initial or given parameters.
 * @throws RecurraError INVALID_ARGUMENT, SHAPE_MISMATCH, UNKNOWN_NAME or NON_FINITE where options or parameters don't fit;
 *   OUT_OF_MEMORY; UNSUPPORTED where the backend can't run the network. Nothing is left allocated then
 */
export function createModel(network: Network, backend: SyncBackend, options?: ModelOptions): SyncModel;
export function createModel(network: Network, backend: Backend, options?: ModelOptions): AsyncModel;
export function createModel(network: Network, backend: Backend, options: ModelOptions = {}): Model {
  const who = "createModel";
  checkOptions(options, ["seed", "parameters", "weights"], who);
  check(
    (network as Partial<Network> | undefined)?.build !== undefined,
    who,
    "a network, by stack(…)",
    network,
  );
  check(
    (backend as Partial<Backend> | undefined)?.alloc !== undefined,
    who,
    "a backend, awaited where it opens later",
    backend,
  );
  const { weights = "float32" } = options;
  const formats = { float32: backend, ...backend.weights };
  checkOneOf(weights, Object.keys(formats), `weights on ${backend.name}`);
  const engine = openEngine(network, formats[weights] as Backend, options);
  const { parameters, setParameters, dispose } = engine;
  const begin = (x: Input, given: RunOptions = {}) => run(engine, x, given);
  return {
    engine,
    run: async (x, given) => begin(x, given),
    ...(backend.readSync && { runSync: begin }),
    stream: (given: StreamOptions = {}) => openStream(engine, given),
    parameters,
    setParameters,
    summary: () => summary(engine),
    dispose,
    [Symbol.dispose]: dispose,
  } as Model;
}

function run(engine: Engine, x: Input, options: RunOptions): RunResult | Promise<RunResult> {
  engine.idle();
  const call = readCall(engine, x, options, ["output", "trace"]);
  const { output = "all", trace = false } = options;
  checkOneOf(output, ["all", "last"], "output");
  checkOneOf(trace, [true, false], "trace");
  const masked = call.lengths !== undefined;
  const recipe: Recipe = {
    name: `run ${masked} ${trace}`,
    build: { masked },
    of: ({ outputs, traces, states }) => ({
      // Names of traces have dots, those of outputs none.
      outputs: new Map([...outputs, ...(trace ? traces : [])]),
      states: [...states.values()],
    }),
  };
  const execution = perform(engine, recipe, call);
  const { outputs, states, traces } = engine.graph;
  const want =
    (last: boolean) =>
    ([name, node]: readonly [string, Node]) =>
      wantOutput(execution, call, name, node, last);
  return collect(
    engine,
    {
      outputs: [...outputs].map(want(output === "last")),
      state: wantStates(execution, states.values()),
      trace: trace ? [...traces].map(want(false)) : [],
    },
    (found) => ({ output: Object.values(found.outputs)[0] as Tensor, ...found }),
  );
}

function summary({ graph, backend }: Engine): string {
  const count = (prefix: string): number =>
    [...graph.parameters.values()].reduce(
      (sum, { name, rows, width }) => (name.startsWith(prefix) ? sum + rows * width : sum),
      0,
    );
  return [
    ...graph.layers.map(
      ({ name, kind, width }) => `${name}: ${kind} → ${width}, ${count(`${name}.`)} parameters`,
    ),
    `${count("")} parameters on ${backend.name}`,
  ].join("\n");
}
