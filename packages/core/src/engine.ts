/**
 * What a model, its streams and its gradients share: the network's parameters on a backend, and the programs compiled so far.
 */
import type { Backend, DeviceBuffer } from "./backend.ts";
import { compile, type CompileOptions } from "./compile/compile.ts";
import { fail } from "./errors.ts";
import { contiguous, Execution, prepare, takeColumns, type Place, type Plan } from "./execution.ts";
import type { ParameterNode } from "./expr.ts";
import type { BuildOptions, Network, NetworkGraph } from "./network.ts";
import type { Random } from "./initializers.ts";
import { random } from "./random.ts";
import { checkRecord, checkTensor, floats, kindOf, type Tensor } from "./tensor.ts";

/** How a program is made: from a fresh graph, what to compile. */
export type Recipe = (
  graph: NetworkGraph,
) => Pick<CompileOptions, "outputs" | "gradients" | "states" | "backward">;

interface Compiled {
  readonly plan: Plan;
  /** By batch size; the ones used last are kept. */
  readonly executions: Map<number, Execution>;
}

/** How many batch sizes of a program stay bound. */
const keptExecutions = 4;

export class Engine {
  /** The unmasked network: its names and sizes. */
  readonly graph: NetworkGraph;
  /** By storage. */
  readonly #values = new Map<string, Float32Array>();
  readonly #buffers = new Map<string, DeviceBuffer>();
  readonly #compiled = new Map<string, Compiled>();
  readonly #attached = new Set<{ dispose(): void }>();
  #disposed = false;
  #busy = false;

  constructor(
    readonly network: Network,
    readonly backend: Backend,
    options: { readonly seed?: number; readonly parameters?: Readonly<Record<string, Tensor>> },
  ) {
    this.graph = network.build();
    const { parameters } = options;
    try {
      // The device may know better what is too much; nothing is drawn before it has agreed.
      for (const { name, rows, width } of this.graph.storages.values()) {
        this.#values.set(name, floats(rows * width, name));
        this.#buffers.set(name, backend.alloc(Math.max(1, rows * width)));
      }
      if (parameters) this.#check(parameters, true);
      const draw = parameters ? undefined : random(options.seed ?? 0);
      for (const node of this.graph.parameters.values())
        this.#slice(node).set(draw ? initial(node, draw) : (parameters?.[node.name] as Tensor).data);
      for (const [name, values] of this.#values)
        backend.write(this.#buffers.get(name) as DeviceBuffer, values, 0);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  #slice({ storage, row, rows, width }: ParameterNode): Float32Array {
    return (this.#values.get(storage.name) as Float32Array).subarray(row * width, (row + rows) * width);
  }

  #check(parameters: Readonly<Record<string, Tensor>>, all: boolean): void {
    checkRecord(parameters, "parameters");
    const known = this.graph.parameters;
    for (const [name, tensor] of Object.entries(parameters)) {
      const node = known.get(name);
      if (!node)
        fail("UNKNOWN_NAME", `parameter ${name}: expected one of ${list(known.keys())}, got an unknown name`);
      checkTensor(tensor, node.shape, `parameter ${name}`);
      const bad = tensor.data.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0)
        fail("NON_FINITE", `parameter ${name}: expected finite numbers, got ${tensor.data[bad]} at ${bad}`);
    }
    for (const name of all ? known.keys() : [])
      if (!Object.hasOwn(parameters, name))
        fail(
          "UNKNOWN_NAME",
          `parameter ${name}: expected a tensor for every parameter, got none for this one; give all of ${list(known.keys())}`,
        );
  }

  parameters(): Record<string, Tensor> {
    this.alive();
    return Object.fromEntries(
      [...this.graph.parameters].map(([name, node]) => [
        name,
        { shape: [...node.shape], data: this.#slice(node).slice() },
      ]),
    );
  }

  setParameters(parameters: Readonly<Record<string, Tensor>>): void {
    this.idle();
    this.#check(parameters, false);
    const touched = new Set<string>();
    for (const [name, tensor] of Object.entries(parameters)) {
      const node = this.graph.parameters.get(name) as ParameterNode;
      this.#slice(node).set(tensor.data);
      touched.add(node.storage.name);
    }
    for (const name of touched)
      this.backend.write(this.#buffers.get(name) as DeviceBuffer, this.#values.get(name) as Float32Array, 0);
  }

  /** The plan for a recipe; `key` tells recipes apart. */
  plan(key: string, build: BuildOptions, recipe: Recipe): Compiled {
    let compiled = this.#compiled.get(key);
    if (!compiled) {
      const graph = this.network.build(build);
      const program = compile(graph, { name: key, target: this.backend, ...recipe(graph) });
      this.#compiled.set(key, (compiled = { plan: prepare(program, this.backend), executions: new Map() }));
    }
    return compiled;
  }

  /** A new execution, which the caller disposes. */
  bind(plan: Plan, steps: number, batch: number): Execution {
    return new Execution(plan, this.backend, this.#buffers, steps, batch);
  }

  /** A kept execution for at least this many steps. */
  execution({ plan, executions }: Compiled, steps: number, batch: number): Execution {
    let execution = executions.get(batch);
    if (execution && execution.steps < steps) {
      executions.delete(batch);
      execution.dispose();
      execution = undefined;
    }
    execution ??= this.bind(plan, steps, batch);
    // Last used, last in the map's order.
    executions.delete(batch);
    executions.set(batch, execution);
    for (const [size, old] of executions) {
      if (executions.size <= keptExecutions) break;
      executions.delete(size);
      old.dispose();
    }
    return execution;
  }

  /** Something to dispose together with the model. */
  attach(item: { dispose(): void }): void {
    this.#attached.add(item);
  }

  detach(item: { dispose(): void }): void {
    this.#attached.delete(item);
  }

  alive(): void {
    if (this.#disposed)
      fail("DISPOSED", "model: expected a model in use, got one that was disposed; create another");
  }

  /** @throws BUSY while a call is awaited */
  idle(): void {
    this.alive();
    if (this.#busy)
      fail(
        "BUSY",
        "model: expected one call at a time, got a second while the first is awaited; await it, or make a model for each",
      );
  }

  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.idle();
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  /** Read a place, at once. */
  readSync(place: Place): Float32Array {
    const { readSync } = this.backend;
    if (!readSync)
      fail(
        "UNSUPPORTED",
        `backend ${this.backend.name}: expected a synchronous backend, got one that answers later; use run() and await it`,
      );
    const raw = new Float32Array(place.rows * place.stride);
    if (raw.length > 0) this.backend.readSync?.(place.buffer, raw, place.offset);
    return tidy(raw, place);
  }

  async read(place: Place): Promise<Float32Array> {
    const raw = new Float32Array(place.rows * place.stride);
    try {
      if (raw.length > 0) await this.backend.read(place.buffer, raw, place.offset);
    } finally {
      // It may have been disposed meanwhile.
      this.alive();
    }
    return tidy(raw, place);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const item of [...this.#attached]) item.dispose();
    for (const { executions } of this.#compiled.values())
      for (const execution of executions.values()) execution.dispose();
    this.#compiled.clear();
    for (const buffer of this.#buffers.values()) this.backend.free(buffer);
    this.#buffers.clear();
  }
}

/** A parameter's first values. */
function initial({ name, initializer, rows, width }: ParameterNode, draw: Random): Float32Array {
  const values: unknown = typeof initializer === "function" ? initializer(draw, rows, width) : initializer;
  if (!(values instanceof Float32Array) || values.length !== rows * width)
    fail(
      "SHAPE_MISMATCH",
      `initializer of ${name}: expected a function that gives ${rows * width} values in a Float32Array, got ${values instanceof Float32Array ? values.length : kindOf(values)}`,
    );
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined) fail("NON_FINITE", `initializer of ${name}: expected finite numbers, got ${bad}`);
  return values;
}

function tidy(raw: Float32Array, place: Place): Float32Array {
  if (contiguous(place)) return raw;
  const columns = new Float32Array(place.rows * place.width);
  takeColumns(raw, place, columns);
  return columns;
}

export const list = (names: Iterable<string>): string => {
  const all = [...names];
  return all.length > 12 ? `${all.slice(0, 12).join(", ")}, … (${all.length})` : all.join(", ") || "none";
};
