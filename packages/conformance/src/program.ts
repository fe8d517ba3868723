/** A network's graph compiled and run on a backend, with everything by name that the oracle needs to judge it. */
import {
  backward,
  compile,
  execute,
  gradientGraph,
  prepare,
  verify,
  type Backend,
  type Execution,
  type Graph,
  type Node,
  type OracleInputs,
  type ParameterNode,
  type StateNode,
} from "@recurra/core/internal";
import type { Network } from "@recurra/core";
import type { Draw } from "./draw.ts";
import { parameterValues, type Subject } from "./subject.ts";

export interface GraphOptions {
  readonly masked?: boolean;
  readonly gradient?: boolean;
  /** Traces are outputs as well. */
  readonly traced?: boolean;
}

/** A graph, with what a program of it computes. */
export interface Task {
  readonly graph: Graph;
  /** Everything that is compared, by name: outputs, gradients. */
  readonly outputs: ReadonlyMap<string, Node>;
  readonly gradients: ReadonlyMap<ParameterNode, Node>;
  readonly states: readonly StateNode[];
}

export function taskOf(
  network: Network,
  { masked = false, gradient = false, traced = false }: GraphOptions,
): Task {
  const graph = network.build({ masked });
  const withTraces = (outputs: ReadonlyMap<string, Node>): ReadonlyMap<string, Node> =>
    traced ? new Map([...outputs, ...graph.traces]) : outputs;
  if (!gradient)
    return {
      graph,
      outputs: withTraces(graph.outputs),
      gradients: new Map(),
      states: [...graph.states.values()],
    };
  const { adjoint, outputs } = gradientGraph(graph);
  return {
    graph,
    outputs: withTraces(outputs),
    gradients: adjoint.parameters,
    states: [...graph.states.values(), ...adjoint.states.values()],
  };
}

/** Whether laws ask for gradients as well: programs of a backend with quantized weights only infer. */
export const differentiates = ({ accuracy }: Pick<Backend, "accuracy">): boolean => !accuracy.quantized;

/** The same, with matrices that quantizing leaves as they are: whole steps of their rows' largest magnitude. */
export function inSteps(given: Given, { graph }: Task, steps: number): Given {
  const parameters = Object.fromEntries(
    Object.entries(given.parameters).map(([name, data]) => {
      const { width, rows } = graph.parameters.get(name)!;
      if (rows === 1) return [name, data];
      const largest = Array.from({ length: rows }, (_, r) =>
        Math.max(...data.subarray(r * width, (r + 1) * width).map(Math.abs)),
      );
      return [
        name,
        data.map((v, i) => {
          const step = largest[Math.floor(i / width)]! / steps;
          return step > 0 ? Math.round(v / step) * step : v;
        }),
      ];
    }),
  );
  return { ...given, parameters };
}

/** Names and nodes of all that a task computes. */
export const wantedOf = ({ outputs, gradients }: Task): ReadonlyMap<string, Node> =>
  new Map([...outputs, ...[...gradients].map(([p, node]) => [`d.${p.name}`, node] as const)]);

/** How many rows a node's value has. */
export const rowsOfNode = (node: Node, steps: number, batch: number): number =>
  node.domain === "one" ? node.rows : node.domain === "batch" ? batch : steps * batch;

/** Inputs in float32, and so exact in the oracle as well. */
export interface Given extends OracleInputs {
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly inputs: Readonly<Record<string, Float32Array>>;
  readonly states: Readonly<Record<string, Float32Array>>;
}

export interface GivenOptions {
  readonly steps: number;
  readonly batch: number;
  /** Of each row, for a masked graph. Default: all steps. */
  readonly lengths?: readonly number[];
  /** States as they begin by default, instead of random ones. */
  readonly defaults?: boolean;
}

/** Random parameters, inputs, states, and gradients of outputs and final states. */
export function givenFor(
  draw: Draw,
  subject: Subject,
  { graph, states }: Task,
  options: GivenOptions,
): Given {
  const { steps, batch, lengths, defaults = false } = options;
  const parameters: Record<string, Float32Array> = {};
  for (const [name, { rows, width }] of graph.parameters)
    parameters[name] = parameterValues(draw, rows, width);
  const inputs: Record<string, Float32Array> = {};
  const length = (b: number): number => lengths?.[b] ?? steps;
  for (const node of graph.nodes) {
    if (node.op !== "input") continue;
    const rows = node.domain === "batch" ? batch : steps * batch;
    inputs[node.name] =
      node.name === "mask"
        ? Float32Array.from({ length: rows }, (_, i) => (Math.floor(i / batch) < length(i % batch) ? 1 : 0))
        : node.name === "last"
          ? Float32Array.from({ length: rows }, (_, b) =>
              length(b) === 0 ? -1 : (length(b) - 1) * batch + b,
            )
          : subject.ids !== undefined && graph.inputs.has(node.name)
            ? Float32Array.from({ length: rows }, () => draw.below(subject.ids!))
            : draw.floats(rows * node.width);
  }
  const given: Record<string, Float32Array> = {};
  for (const state of states) {
    if (defaults && graph.states.has(state.name)) continue;
    const range = graph.states.has(state.name) ? subject.states?.[state.name.split(".").at(-1)!] : undefined;
    const [low, high] = range ?? [-1, 1];
    given[state.name] = Float32Array.from({ length: batch * state.width }, () => draw.between(low, high));
  }
  return { steps, batch, parameters, inputs, states: given };
}

export interface Results {
  /** By the names of `wantedOf`, row-major. */
  readonly outputs: Readonly<Record<string, Float32Array>>;
  /** The final states. */
  readonly states: Readonly<Record<string, Float32Array>>;
  /** With `history`: every state before each step, [steps, batch, width]. */
  readonly before: Readonly<Record<string, Float32Array>>;
}

const history = "before ";

/** A task on a backend: compiled once, run as often as wanted. */
export class Runner {
  readonly #plan;
  readonly #history: boolean;
  constructor(
    readonly backend: Backend,
    readonly task: Task,
    options: { readonly history?: boolean } = {},
  ) {
    this.#history = options.history ?? false;
    const { graph, outputs, gradients, states } = task;
    const before = this.#history ? states.map((s) => [history + s.name, s] as const) : [];
    const program = compile(graph, {
      name: "conformance",
      outputs: new Map<string, Node>([...outputs, ...before]),
      gradients,
      states,
      target: backend,
      // As a model plans its gradients.
      ...(gradients.size > 0 && { backward }),
      check: verify,
    });
    this.#plan = prepare(program, backend);
  }

  /** Bind, run once, read everything, free everything. */
  async run(given: Given): Promise<Results> {
    const bound = this.bind(given.steps, given.batch, given.parameters);
    try {
      bound.write(given);
      return await bound.run(given.steps);
    } finally {
      bound.dispose();
    }
  }

  bind(steps: number, batch: number, parameters: Given["parameters"]): Bound {
    return new Bound(this.backend, this.task, this.#plan, this.#history, steps, batch, parameters);
  }
}

/** A task bound to a size; states stay in it from run to run. */
export class Bound {
  readonly #parameters = new Map<string, ReturnType<Backend["alloc"]>>();
  readonly #execution: Execution;

  constructor(
    readonly backend: Backend,
    readonly task: Task,
    plan: ReturnType<typeof prepare>,
    readonly history: boolean,
    readonly steps: number,
    readonly batch: number,
    parameters: Given["parameters"],
  ) {
    for (const { name, rows, width } of task.graph.storages.values()) {
      const data = new Float32Array(rows * width);
      for (const p of task.graph.parameters.values())
        if (p.storage.name === name) data.set(parameters[p.name]!, p.row * width);
      const buffer = backend.alloc(Math.max(1, data.length));
      backend.write(buffer, data, 0);
      this.#parameters.set(name, buffer);
    }
    this.#execution = execute(plan, backend, this.#parameters, steps, batch);
  }

  /** Write the inputs, and the states unless they are to stay as they are. */
  write({ inputs, states }: Given, keepStates = false): void {
    for (const [name, data] of Object.entries(inputs)) this.#execution.writeInput(name, data);
    if (!keepStates) for (const { name } of this.task.states) this.#execution.writeState(name, states[name]);
  }

  async run(steps: number): Promise<Results> {
    this.#execution.run(steps);
    const outputs: Record<string, Float32Array> = {};
    for (const [name, node] of wantedOf(this.task)) outputs[name] = await this.#read(name, node, steps);
    const before: Record<string, Float32Array> = {};
    if (this.history)
      for (const state of this.task.states)
        before[state.name] = await this.#read(history + state.name, state, steps);
    const states: Record<string, Float32Array> = {};
    for (const { name, width } of this.task.states) {
      states[name] = new Float32Array(this.batch * width);
      await this.backend.read(this.#execution.state(name).buffer, states[name], 0);
    }
    return { outputs, states, before };
  }

  async #read(name: string, node: Node, steps: number): Promise<Float32Array> {
    const rows = rowsOfNode(node, steps, this.batch);
    const place = this.#execution.output(name);
    const raw = new Float32Array(rows * place.stride);
    await this.backend.read(place.buffer, raw, place.offset);
    if (place.stride === place.width) return raw;
    return Float32Array.from({ length: rows * place.width }, (_, i) => {
      return raw[Math.floor(i / place.width) * place.stride + place.column + (i % place.width)]!;
    });
  }

  dispose(): void {
    this.#execution.dispose();
    for (const buffer of this.#parameters.values()) this.backend.free(buffer);
  }
}
