/** The programs of a trainer: the network with its loss, and with their gradient. Compiled once, bound to each size of batch. */
import { Expr, type Backend } from "@recurra/core";
import {
  backward, compile, differentiate, fail, prepare, type BuildOptions, type DeviceBuffer, type Engine, type Graph, type Node, type Owner, type ParameterNode, type Plan,
} from "@recurra/core/internal"; // prettier-ignore
import type { Loss } from "./losses/loss.ts";

/** Names with a space are no user's: outputs and inputs of the programs. */
export const LOSS = "the loss";
export const WEIGHT = "the weight";
export const inputOf = (name: string): string => `the ${name}`;

export interface TrainingPlan extends Plan {
  readonly graph: Graph;
  /** The fixed rows that the loss uses, by the name of their storage. */
  readonly rows: ReadonlyMap<string, Float32Array>;
}

/** The output that the loss is of: the network's first. */
export const outputOf = (graph: Graph): Node => [...graph.outputs.values()][0] as Node;

/** @param learns with the gradient */
export function planOf(engine: Engine, loss: Loss, build: BuildOptions, learns: boolean): TrainingPlan {
  const { network, backend } = engine;
  const graph = network.build(build);
  const rows = new Map<string, Float32Array>();
  const node = outputOf(graph);
  const domain = node.domain === "batch" ? "batch" : "sequence";
  const value = loss.define(new Expr(graph, node), {
    input: (name, width) => new Expr(graph, graph.input(inputOf(name), width, domain)),
    row(name, values) {
      rows.set(inputOf(name), values);
      return new Expr(
        graph,
        graph.parameter(inputOf(name), inputOf(name), [values.length], () => values),
      );
    },
  });
  if (value.width !== 1)
    fail(
      "SHAPE_MISMATCH",
      `${loss.name}: expected a loss of width 1, got ${value.width}; reduce it with rowMean`,
    );
  const outputs = new Map<string, Node>([...graph.outputs, [LOSS, value.node]]);
  let gradients = new Map<ParameterNode, Node>();
  if (learns) {
    const { parameters } = differentiate(graph, [[value.node, graph.input(WEIGHT, 1, domain)]]);
    gradients = new Map([...parameters].filter(([{ name }]) => !rows.has(name)));
  }
  const program = compile(graph, {
    name: learns ? "training" : "evaluation",
    outputs,
    gradients,
    states: [...graph.states.values()],
    target: backend,
    ...(learns && { backward }),
  });
  return { ...prepare(program, backend), graph, rows };
}

/** Device memory that holds these values. */
export function hold(owner: Owner, backend: Backend, values: Float32Array): DeviceBuffer {
  const buffer = owner.alloc(backend, values.length);
  backend.write(buffer, values, 0);
  return buffer;
}
