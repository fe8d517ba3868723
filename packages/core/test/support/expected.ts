/** What the oracle expects of a call on a model, and how far a backend of its accuracy may be off. */
import { expect } from "vitest";
import { gradientGraph } from "../../src/gradient.ts";
import type { Node, StateNode } from "../../src/graph.ts";
import { endToEnd, random } from "../../src/internal.ts";
import type { Model } from "../../src/model.ts";
import type { Tensor } from "../../src/tensor.ts";

type Tensors = Readonly<Record<string, Tensor>>;

/** A call, all of it time-major. */
export interface Given {
  readonly inputs: Tensors;
  readonly state?: Tensors;
  readonly lengths?: readonly number[];
  /** ∂L/∂output by name: a gradient is expected. */
  readonly seeds?: Tensors;
  /** ∂L/∂(final state). */
  readonly finalSeeds?: Tensors;
  /** Of each dropout, by its input's name. */
  readonly masks?: Readonly<Record<string, Float32Array>>;
}

/** Checks one result: "output NAME", "trace NAME", "state NAME", "d.input NAME", "d.PARAMETER" or "d.state NAME". */
export type Agree = (name: string, got: Tensor | undefined) => void;

const dataOf = (tensors: Tensors = {}, prefix = ""): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t.data]));

export function expected(model: Model, { inputs, state, lengths, seeds, finalSeeds, masks }: Given): Agree {
  const { network, backend } = model.engine;
  const [steps, batch] = Object.values(inputs)[0]!.shape as [number, number];
  const graph = network.build({ masked: lengths !== undefined, dropout: masks !== undefined });
  const wanted = new Map<string, Node>();
  for (const [name, node] of graph.outputs) wanted.set(`output ${name}`, node);
  for (const [name, node] of graph.traces) wanted.set(`trace ${name}`, node);
  const finals = new Map<string, StateNode>();
  for (const [name, node] of graph.states) finals.set(`state ${name}`, node);
  if (seeds) {
    const { adjoint, outputs } = gradientGraph(graph);
    for (const [name, node] of outputs) if (name.startsWith("d.")) wanted.set(name, node);
    for (const [parameter, node] of adjoint.parameters) wanted.set(`d.${parameter.name}`, node);
    for (const [of, node] of adjoint.states) finals.set(`d.state ${of.name}`, node);
  }
  for (const [name, node] of finals) wanted.set(name, graph.next.get(node)!);

  const ends = lengths ?? new Array<number>(batch).fill(steps);
  const given = {
    steps,
    batch,
    parameters: dataOf(model.parameters()),
    inputs: {
      ...dataOf(inputs),
      ...dataOf(seeds, "d."),
      ...masks,
      mask: Float32Array.from({ length: steps * batch }, (_, i) =>
        Number(Math.floor(i / batch) < ends[i % batch]!),
      ),
      last: Float32Array.from(ends, (n, b) => (n === 0 ? -1 : (n - 1) * batch + b)),
    },
    states: { ...dataOf(state), ...dataOf(finalSeeds, "d.") },
  };
  const found = endToEnd(graph, [...new Set(wanted.values())], given, backend.accuracy);
  if (!found) throw new Error("a comparison is too close to call; draw other numbers");

  return (name, got) => {
    const { expected: all, tolerance } = found.get(wanted.get(name)!)!;
    const state = finals.get(name);
    // A state ends with what it becomes at the last step of its loop.
    const first = state && !state.loop.reverse ? (steps - 1) * batch * state.width : 0;
    const data = state ? all.subarray(first, first + batch * state.width) : all;
    expect(got?.data.length, name).toBe(data.length);
    got!.data.forEach((v, i) => {
      if (!(Math.abs(v - data[i]!) <= tolerance * Math.max(1, Math.abs(data[i]!))))
        expect.fail(`${name}[${i}]: expected ${data[i]} ± ${tolerance}, got ${v}`);
    });
  };
}

/** Seeded numbers in ±1. */
export function numbers(seed: number): (...shape: number[]) => Tensor {
  const draw = random(seed);
  return (...shape) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * draw() - 1),
  });
}

/** The first two axes exchanged. */
export function batchFirst({ shape: [a, b, width], data }: Tensor): Tensor {
  const [A, B, W] = [a!, b!, width!];
  return {
    shape: [B, A, W],
    data: data.map((_, i) => data[((Math.floor(i / W) % A) * B + Math.floor(i / (A * W))) * W + (i % W)]!),
  };
}
