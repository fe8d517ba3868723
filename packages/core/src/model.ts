/** A model: a network with parameters, on a backend. */
import type { Backend, SyncBackend } from "./backend.ts";
import { readCall, resultOf, writeCall, type Input, type SequenceOptions } from "./call.ts";
import { Engine } from "./engine.ts";
import { fail } from "./errors.ts";
import type { Execution } from "./execution.ts";
import type { Node } from "./expr.ts";
import type { Network, NetworkGraph } from "./network.ts";
import { checkOptions } from "./options.ts";
import {
  collect,
  collectSync,
  outputsOf,
  pick,
  wantState,
  type Found,
  type Job,
  type Wanted,
} from "./results.ts";
import { Stream, SyncStream } from "./stream.ts";
import { kindOf, type Tensor } from "./tensor.ts";

export interface ModelOptions {
  /** Seed of the initial parameters. Default: 0. Not used when parameters are given. */
  readonly seed?: number;
  /** Every parameter by name, in place of initial ones. */
  readonly parameters?: Readonly<Record<string, Tensor>>;
}

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

export interface StreamOptions {
  /** How many sequences go side by side. Default: 1. */
  readonly batch?: number;
}

/** What both kinds of model share. */
export abstract class Model {
  /** What streams and gradients work with; not for use outside Recurra. */
  readonly engine: Engine;

  constructor(network: Network, backend: Backend, options: ModelOptions = {}) {
    this.engine = new Engine(network, backend, options);
  }

  /** Run whole sequences. @throws RecurraError on misfits, before anything runs */
  async run(x: Input, options: RunOptions = {}): Promise<RunResult> {
    return this.engine.exclusively(async () => collect(this.engine, begin(this.engine, x, options)));
  }

  /** Copies of all parameters, by name. */
  parameters(): Record<string, Tensor> {
    return this.engine.parameters();
  }

  /** Replace some or all parameters. Nothing changes when one of them doesn't fit. */
  setParameters(parameters: Readonly<Record<string, Tensor>>): void {
    this.engine.setParameters(parameters);
  }

  /** A line a layer, and the number of parameters. */
  summary(): string {
    const { layers, parameters } = this.engine.graph;
    const count = (prefix: string): number =>
      [...parameters.values()]
        .filter((p) => p.name.startsWith(`${prefix}.`))
        .reduce((sum, p) => sum + p.rows * p.width, 0);
    const rows = layers.map(
      ({ name, kind, width }) => `${name}: ${kind} → ${width}, ${count(name)} parameters`,
    );
    return [
      ...rows,
      `${[...parameters.values()].reduce((sum, p) => sum + p.rows * p.width, 0)} parameters on ${this.engine.backend.name}`,
    ].join("\n");
  }

  /** Free the device memory of the model and its streams. */
  dispose(): void {
    this.engine.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function batchOf(options: StreamOptions): number {
  checkOptions(options, ["batch"], "stream");
  return options.batch ?? 1;
}

/** A model on a backend that answers later. */
export class AsyncModel extends Model {
  /** One frame at a time, the state kept. */
  stream(options: StreamOptions = {}): Stream {
    return new Stream(this.engine, batchOf(options));
  }
}

/** A model on a backend that answers at once. */
export class SyncModel extends Model {
  /** `run`, at once. */
  runSync(x: Input, options: RunOptions = {}): RunResult {
    this.engine.idle();
    return collectSync(this.engine, begin(this.engine, x, options));
  }

  /** One frame at a time, the state kept. */
  stream(options: StreamOptions = {}): SyncStream {
    return new SyncStream(this.engine, batchOf(options));
  }
}

/** Put a network on a backend, with initial or given parameters. */
export function createModel(network: Network, backend: SyncBackend, options?: ModelOptions): SyncModel;
export function createModel(network: Network, backend: Backend, options?: ModelOptions): AsyncModel;
export function createModel(
  network: Network,
  backend: Backend,
  options: ModelOptions = {},
): AsyncModel | SyncModel {
  checkOptions(options, ["seed", "parameters"], "createModel");
  const [from, on] = [network as Partial<Network> | undefined, backend as Partial<Backend> | undefined];
  if (!from?.build || !on?.alloc)
    fail(
      "INVALID_ARGUMENT",
      `createModel: expected a network, by stack(…), and a backend, awaited where it opens later; got ${kindOf(network)} and ${kindOf(backend)}${typeof network === "function" ? "; a layer becomes a network by stack(layer)" : ""}`,
    );
  return backend.readSync
    ? new SyncModel(network, backend, options)
    : new AsyncModel(network, backend, options);
}

const traced = "trace.";

/** Check a call, run it, and say what is to be read. */
function begin(engine: Engine, x: Input, options: RunOptions): Job<RunResult> {
  const call = readCall(engine, x, options, ["output", "trace"]);
  const { output = "all", trace = false, batchFirst = false } = options;
  if (output !== "all" && output !== "last")
    fail("INVALID_ARGUMENT", `output: expected "all" or "last", got ${String(output)}`);
  const { steps, batch, masked } = call;
  const last = output === "last";

  /** Of a graph: everything to be read by name. */
  const nodesOf = (graph: NetworkGraph): Map<string, Node> =>
    new Map([
      ...[...graph.outputs].map(
        ([name, node]) => [name, last && node.domain === "sequence" ? graph.last(node) : node] as const,
      ),
      ...(trace ? [...graph.traces].map(([name, node]) => [traced + name, node] as const) : []),
    ]);
  const shapes = new Map(
    [...engine.graph.outputs].map(([name, node]) => [
      name,
      {
        width: node.width,
        domain: last || node.domain === "batch" ? ("batch" as const) : ("sequence" as const),
      },
    ]),
  );
  if (trace)
    for (const [name, node] of engine.graph.traces)
      shapes.set(traced + name, { width: node.width, domain: "sequence" });

  const finish = (found: Found): RunResult => ({
    ...outputsOf(engine, found),
    state: pick(found, "state "),
    trace: pick(found, traced),
  });
  const compiled = engine.plan(
    `run${masked ? " masked" : ""}${last ? " last" : ""}${trace ? " trace" : ""}`,
    { masked },
    (graph) => ({
      outputs: nodesOf(graph),
      states: [...graph.states.values()],
    }),
  );
  const execution: Execution = engine.execution(compiled, steps, batch);
  writeCall(execution, engine, call);
  execution.run(steps);
  const wanted: Wanted[] = [...shapes].map(([name, { width, domain }]) => ({
    name,
    read: execution.outputPlace(name, steps, domain),
    shape: (data) => resultOf(data, domain, call, width, batchFirst),
  }));
  for (const [name, { width }] of engine.graph.states)
    wanted.push(wantState(`state ${name}`, execution, name, width));
  return { wanted, finish };
}
