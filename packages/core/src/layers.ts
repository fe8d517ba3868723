/** The layers. Each is made with its sizes and applied inside `stack` or `network`. */
import type { Cell } from "./cell.ts";
import { fail } from "./errors.ts";
import { concat, Expr, Matrix } from "./expr.ts";
import { idsBelow } from "./ids.ts";
import { constant, normal, uniform, type Initializer } from "./initializers.ts";
import { layerNorm as normalize } from "./layer-norm.ts";
import { checkOptions } from "./options.ts";
import { networkOf, positive, type Layer } from "./network.ts";

export interface RecurrentOptions {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** How many on top of each other. Default: 1. */
  readonly layers?: number;
  readonly bidirectional?: boolean;
  /** How the two directions meet. Default: "concat". */
  readonly merge?: "concat" | "sum" | "mul" | "mean";
  /** From the last step to the first; a row with a length starts at its own end. */
  readonly reverse?: boolean;
  /** Probability of dropping an output between layers, when a gradient is taken with dropout. */
  readonly dropout?: number;
  /**
   * By a parameter's name in the cell ("b.f"), or its group ("W"). Default: what the cell declares, or PyTorch's uniform ±1/√hiddenSize.
   */
  readonly initializers?: Readonly<Record<string, Initializer>>;
  readonly name?: string;
}

const recurrentOptions = [
  "inputSize",
  "hiddenSize",
  "layers",
  "bidirectional",
  "merge",
  "reverse",
  "dropout",
  "initializers",
  "name",
];

const merges = {
  concat: (a: Expr, b: Expr) => concat(a, b),
  sum: (a: Expr, b: Expr) => a.plus(b),
  mul: (a: Expr, b: Expr) => a.times(b),
  mean: (a: Expr, b: Expr) => a.plus(b).times(0.5),
};

/**
 * A cell run over the sequence. [T, B, inputSize] → [T, B, width of the cell's output] (twice that when bidirectional and concatenated).
 * Parameters: `0.W.i` …; with several layers or directions `0.l1.W.i`, `0.l1.reverse.W.i`. States likewise: `0.h`, `0.l1.reverse.h`.
 */
export function recurrent(cell: Cell, options: RecurrentOptions): Layer {
  checkOptions(options, recurrentOptions, "recurrent");
  const {
    layers = 1,
    bidirectional = false,
    merge = "concat",
    reverse = false,
    dropout = 0,
    initializers = {},
  } = options;
  if (typeof (cell as unknown) !== "object" || typeof (cell as Partial<Cell> | null)?.apply !== "function")
    fail(
      "INVALID_ARGUMENT",
      `recurrent: expected a cell, got a ${typeof cell}; call a cell that has options`,
    );
  positive(options.inputSize, "recurrent: inputSize");
  const hiddenSize = positive(options.hiddenSize, "recurrent: hiddenSize");
  positive(layers, "recurrent: layers");
  probability(dropout, "recurrent: dropout");
  if (!Object.hasOwn(merges, merge))
    fail(
      "INVALID_ARGUMENT",
      `recurrent: expected merge to be one of ${Object.keys(merges).join(", ")}, got ${String(merge)}`,
    );
  if (bidirectional && reverse)
    fail("INVALID_ARGUMENT", "recurrent: expected either bidirectional or reverse, got both");
  const byDefault = uniform(1 / Math.sqrt(hiddenSize));

  const layer = (x: Expr): Expr => {
    const graph = networkOf(x, "recurrent");
    if (x.node.domain !== "sequence")
      fail(
        "INVALID_ARGUMENT",
        "recurrent: expected a value at every step, got one row a sequence; put `last` after it",
      );
    const name = graph.nameLayer(layer, options.name);
    const plain = layers === 1 && !bidirectional;
    fits(x, options.inputSize, "recurrent");
    const used = new Set<string>();

    const direction = (input: Expr, level: number, backwards: boolean): Expr => {
      const suffix = plain ? "" : `.l${level}${bidirectional && backwards ? ".reverse" : ""}`;
      const { output, states, traces } = cell.apply({
        graph,
        x: input,
        name: name.parameters + suffix,
        stateName: name.states + suffix,
        reverse: backwards,
        hiddenSize,
        initializer(local, declared) {
          const key = [local, local.split(".")[0] ?? local].find((k) => Object.hasOwn(initializers, k));
          if (key !== undefined) used.add(key);
          return (key === undefined ? undefined : initializers[key]) ?? declared ?? byDefault;
        },
        keep: (state, next) => graph.withinLength(next, state),
      });
      for (const state of states) graph.states.set(state.name, state);
      for (const [gate, value] of traces)
        graph.traces.set(`${name.states}${suffix}.${gate}`, graph.withinLength(value));
      return new Expr(graph, graph.withinLength(output));
    };

    let value = x;
    for (let level = 0; level < layers; level++) {
      if (level > 0) value = graph.drop(value, dropout);
      value = bidirectional
        ? merges[merge](direction(value, level, false), direction(value, level, true))
        : direction(value, level, reverse);
    }
    const unknown = Object.keys(initializers).find((key) => !used.has(key));
    if (unknown !== undefined)
      fail("UNKNOWN_NAME", `recurrent: expected initializers for parameters of ${cell.name}, got ${unknown}`);
    graph.layers.push({ name: name.states, kind: cell.name, width: value.width });
    return value;
  };
  return Object.assign(layer, { inputSize: options.inputSize });
}

export interface DenseOptions {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly name?: string;
}

/** W·x + b at every step. Parameters: `W` [outputSize, inputSize], `b` [outputSize]; uniform ±1/√inputSize. */
export function dense(options: DenseOptions): Layer {
  checkOptions(options, ["inputSize", "outputSize", "name"], "dense");
  const { inputSize, outputSize, name } = options;
  positive(inputSize, "dense: inputSize");
  positive(outputSize, "dense: outputSize");
  const layer = (x: Expr): Expr => {
    const graph = networkOf(x, "dense");
    fits(x, inputSize, "dense");
    const own = graph.nameLayer(layer, name);
    const initializer = uniform(1 / Math.sqrt(inputSize));
    const W = new Matrix(
      graph,
      graph.parameter(`${own.parameters}.W`, `${own.parameters}.W`, [outputSize, inputSize], initializer),
    );
    const b = new Expr(
      graph,
      graph.parameter(`${own.parameters}.b`, `${own.parameters}.b`, [outputSize], initializer),
    );
    graph.layers.push({ name: own.states, kind: "dense", width: outputSize });
    return W.dot(x).plus(b);
  };
  return Object.assign(layer, { inputSize });
}

export interface EmbeddingOptions {
  /** How many ids there are; ids run from 0. */
  readonly vocabularySize: number;
  readonly outputSize: number;
  readonly name?: string;
}

/** Ids [T, B] or [T, B, 1] → rows of the table `W` [vocabularySize, outputSize], standard normal. */
export function embedding(options: EmbeddingOptions): Layer {
  checkOptions(options, ["vocabularySize", "outputSize", "name"], "embedding");
  const { vocabularySize, outputSize, name } = options;
  positive(vocabularySize, "embedding: vocabularySize");
  if (vocabularySize > 2 ** 24)
    fail(
      "UNSUPPORTED",
      `embedding: expected at most 2²⁴ ids, which float32 tells apart, got ${vocabularySize}`,
    );
  positive(outputSize, "embedding: outputSize");
  const layer = (x: Expr): Expr => {
    const graph = networkOf(x, "embedding");
    fits(x, 1, "embedding");
    const own = graph.nameLayer(layer, name);
    graph.expectIds(x.node, idsBelow(vocabularySize));
    const table = graph.parameter(
      `${own.parameters}.W`,
      `${own.parameters}.W`,
      [vocabularySize, outputSize],
      normal(1),
    );
    graph.layers.push({ name: own.states, kind: "embedding", width: outputSize });
    return new Expr(graph, graph.gather(table, x.node));
  };
  return Object.assign(layer, { inputSize: 1 });
}

/** Drops values with this probability and scales the rest up, when a gradient is taken with dropout; otherwise the identity. */
export function dropout(p: number): Layer {
  probability(p, "dropout");
  return (x) => networkOf(x, "dropout").drop(x, p);
}

/** A function as a layer: `activation(tanh)`. */
export function activation(fn: (x: Expr) => Expr): Layer {
  return (x) => fn(x);
}

/** The value at each row's last step: [T, B, width] → [B, width]; 0 for an empty row. */
export function last(x: Expr): Expr {
  const graph = networkOf(x, "last");
  return new Expr(graph, graph.last(x.node));
}

export interface LayerNormOptions {
  readonly size: number;
  readonly name?: string;
}

/**
 * Layer normalisation (Ba, Kiros & Hinton 2016). On an expression: (v − mean) / √(variance + 1e-5). With a size: a layer
 * with parameters `gain` [size] (ones) and `bias` [size] (zeros).
 */
export function layerNorm(v: Expr): Expr;
export function layerNorm(options: LayerNormOptions): Layer;
export function layerNorm(of: Expr | LayerNormOptions): Expr | Layer {
  if (of instanceof Expr) return normalize(of);
  checkOptions(of, ["size", "name"], "layerNorm");
  const { size, name } = of;
  positive(size, "layerNorm: size");
  const layer = (x: Expr): Expr => {
    const graph = networkOf(x, "layerNorm");
    fits(x, size, "layerNorm");
    const own = graph.nameLayer(layer, name);
    const vector = (local: string, value: number): Expr =>
      new Expr(
        graph,
        graph.parameter(`${own.parameters}.${local}`, `${own.parameters}.${local}`, [size], constant(value)),
      );
    graph.layers.push({ name: own.states, kind: "layerNorm", width: size });
    return normalize(x).times(vector("gain", 1)).plus(vector("bias", 0));
  };
  return Object.assign(layer, { inputSize: size });
}

function fits(x: Expr, inputSize: number, who: string): void {
  if (x.width !== inputSize)
    fail("SHAPE_MISMATCH", `${who}: expected an input of width ${inputSize} (its inputSize), got ${x.width}`);
}

function probability(p: number, who: string): void {
  if (!(p >= 0 && p < 1))
    fail("INVALID_ARGUMENT", `${who}: expected a probability from 0 up to but not including 1, got ${p}`);
}
