/**
 * What a model, its streams and its gradients share: the network's parameters on a backend, and the programs compiled so far.
 */
import type { Backend, DeviceBuffer } from "./backend.ts";
import { compile, type CompileOptions } from "./compile/compile.ts";
import { fail } from "./errors.ts";
import { execute, prepare, type Execution, type Plan } from "./execution.ts";
import type { BuildOptions, Graph, ParameterNode } from "./expr.ts";
import type { Random } from "./initializers.ts";
import { lane, type Lane } from "./lane.ts";
import type { Network } from "./network.ts";
import { owning } from "./owner.ts";
import { random } from "./random.ts";
import { checkFinite, list, readTensors, type Tensor, type Tensors } from "./tensor.ts";
import { check } from "./check.ts";

/** How a program is made: its name, how the graph is built, and what to compile of it. */
export interface Recipe {
  /** Tells recipes apart. */
  readonly name: string;
  readonly build: BuildOptions;
  readonly of: (graph: Graph) => Pick<CompileOptions, "outputs" | "gradients" | "states" | "backward">;
}

export interface Engine extends Lane {
  readonly network: Network;
  readonly backend: Backend;
  /** The unmasked network: its names and sizes. */
  readonly graph: Graph;
  /** What holds the parameters, by storage. */
  readonly buffers: ReadonlyMap<string, DeviceBuffer>;
  parameters(): Record<string, Tensor>;
  setParameters(parameters: Tensors): void;
  /** A program bound to a size, which the caller releases. */
  bind(recipe: Recipe, steps: number, batch: number): Execution;
  release(execution: Execution): void;
  /** One that is kept for the next call, for at least this many steps. */
  kept(recipe: Recipe, steps: number, batch: number): Execution;
  dispose(): void;
}

export interface ModelOptions {
  /** Seed of the initial parameters. Default: 0. Not used when parameters are given. */
  readonly seed?: number;
  /** Every parameter by name, in place of initial ones. */
  readonly parameters?: Readonly<Record<string, Tensor>>;
  /**
   * How the matrices are held for products; the model then only infers. "int8" is a quarter of the size, and less exact: a weight is
   * off by up to 1/254 of its row's largest. Default: "float32".
   */
  readonly weights?: "float32" | "int8";
}

/** How many programs and batch sizes stay bound for further calls: the newest. */
const most = 8;

export const openEngine = (
  network: Network,
  backend: Backend,
  { seed = 0, parameters: given }: ModelOptions,
): Engine =>
  owning((owner) => {
    const graph = network.build();
    const values = new Map<string, Float32Array>();
    const buffers = new Map<string, DeviceBuffer>();
    const plans = new Map<string, Plan>();
    /** One for a recipe and batch size; the newest first. */
    let executions: Execution[] = [];
    const calls = owner.own(lane(backend, "model"));

    const set = ({ name, storage, row, width }: ParameterNode, data: Float32Array): void => {
      values.set(name, data.slice());
      backend.write(buffers.get(storage.name) as DeviceBuffer, data, row * width);
    };
    const read = (parameters: Tensors) => {
      const all = readTensors(parameters, "parameter", graph.parameters, ({ shape }) => shape);
      for (const [name, data] of all) checkFinite(data, `parameter ${name}`);
      return all;
    };
    const setAll = (all: ReadonlyMap<string, Float32Array>): void => {
      for (const [name, data] of all) set(graph.parameters.get(name) as ParameterNode, data);
    };

    const draw = random(seed);
    // The device knows what is too much; nothing is drawn before it has agreed.
    for (const { name, rows, width } of graph.storages.values())
      buffers.set(name, owner.alloc(backend, Math.max(1, rows * width)));
    if (given === undefined) for (const node of graph.parameters.values()) set(node, initial(node, draw));
    else {
      const all = read(given);
      for (const name of graph.parameters.keys())
        if (!all.has(name))
          fail(
            "UNKNOWN_NAME",
            `parameter ${name}: expected a tensor, got none; give all of ${list(graph.parameters.keys())}`,
          );
      setAll(all);
    }

    const engine: Omit<Engine, "dispose"> = {
      ...calls,
      network,
      backend,
      graph,
      buffers,
      parameters() {
        calls.alive();
        return Object.fromEntries(
          [...graph.parameters].map(([name, { shape, storage, row, width }]) => {
            const data = (values.get(name) as Float32Array).slice();
            // Training changes them on the device.
            backend.readSync?.(buffers.get(storage.name) as DeviceBuffer, data, row * width);
            return [name, { shape: [...shape], data }];
          }),
        );
      },
      setParameters(parameters) {
        calls.idle();
        setAll(read(parameters));
      },
      bind({ name, build, of }, steps, batch) {
        let plan = plans.get(name);
        if (!plan) {
          const built = network.build(build);
          plan = prepare(compile(built, { name, target: backend, ...of(built) }), backend);
          plans.set(name, plan);
        }
        return owner.own(execute(plan, backend, buffers, steps, batch));
      },
      release: (execution) => owner.release(execution),
      kept(recipe, steps, batch) {
        let execution = executions.find((e) => e.program.name === recipe.name && e.batch === batch);
        if (!execution || execution.steps < steps) {
          executions = executions.filter((other) => other !== execution);
          owner.release(execution);
          executions.unshift((execution = engine.bind(recipe, steps, batch)));
          owner.release(executions.splice(most)[0]);
        }
        return execution;
      },
    };
    return engine;
  });

/** A parameter's first values. */
function initial({ name, initializer, rows, width }: ParameterNode, draw: Random): Float32Array {
  const values: unknown = typeof initializer === "function" ? initializer(draw, rows, width) : initializer;
  const who = `initializer of ${name}`;
  const size = rows * width;
  check(
    values instanceof Float32Array && values.length === size,
    who,
    `a function that gives ${size} values in a Float32Array`,
    values,
  );
  checkFinite(values, who);
  return values;
}
