/** Programs of networks, verified after every pass that makes one. */
import type { Backend, Program } from "../../src/backend.ts";
import type { Cell } from "../../src/cell.ts";
import { gradientRecipe } from "../../src/gradient.ts";
import { compile, verify } from "../../src/internal.ts";
import { recurrent, type RecurrentOptions } from "../../src/layers.ts";
import type { BuildOptions } from "../../src/expr.ts";
import { stack, type Network } from "../../src/network.ts";

export type Target = Pick<Backend, "limits" | "inPlace" | "projection">;

export const wide: Target = {
  limits: { rows: 1e9 },
  inPlace: true,
  projection: "before",
};

/** What a model runs forward; with `trace`, every gate at every step too. */
export function forward(
  net: Network,
  target = wide,
  options: BuildOptions & { readonly trace?: boolean } = {},
): Program {
  const graph = net.build(options);
  const outputs = new Map([...graph.outputs, ...(options.trace ? graph.traces : [])]);
  return compile(graph, { name: "run", outputs, states: [...graph.states.values()], target, check: verify });
}

/** What it runs for a gradient. */
export function backward(net: Network, target = wide, options: BuildOptions = {}): Program {
  const graph = net.build(options);
  return compile(graph, { name: "gradient", ...gradientRecipe(graph), target, check: verify });
}

export const [inputSize, hiddenSize] = [4, 6];

/** A network of one layer. */
export const single = (cell: Cell, options: Partial<RecurrentOptions> = {}): Network =>
  stack(recurrent(cell, { inputSize, hiddenSize, ...options }));
