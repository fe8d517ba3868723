/** The layers. Each is made with its sizes and applied inside `stack` or `network`. */
import type { Cell } from "./cell.ts";
import { check, checkOneOf, checkOptions, checkWhole } from "./check.ts";
import { fail } from "./errors.ts";
import { concat, Expr, gather, graphOf, Matrix, select, type ParameterNode } from "./expr.ts";
import { idsBelow } from "./ids.ts";
import { constant, normal, uniform, type Initializer } from "./initializers.ts";
import { layerNorm as normalize } from "./layer-norm.ts";
import { namedLayer, type Layer } from "./network.ts";
import { lastRows } from "./ragged.ts";

export interface RecurrentOptions {
  /** Width of the input, I. */
  readonly inputSize: number;
  /** Units of the state h, H. */
  readonly hiddenSize: number;
  /** How many on top of each other. Default: 1. */
  readonly layers?: number;
  /** Run it a second time, with weights of its own, from the last step to the first. Default: false. */
  readonly bidirectional?: boolean;
  /** How the two directions meet. Default: "concat". */
  readonly merge?: "concat" | "sum" | "mul" | "mean";
  /** From the last step to the first (default: false); a row with a length starts at its own end. */
  readonly reverse?: boolean;
  /** Probability of dropping an output between layers, when a gradient is taken with dropout. Default: 0. */
  readonly dropout?: number;
  /**
   * Probability of dropping a unit of the state in the products with U, the same at every step of a sequence. Gal & Ghahramani
   * 2016. Default: 0.
   */
  readonly recurrentDropout?: number;
  /**
   * By a parameter's name in the cell ("b.f"), or its group ("W"). Default: what the cell declares, or PyTorch's uniform ±1/√hiddenSize.
   */
  readonly initializers?: Readonly<Record<string, Initializer>>;
  /** What its parameters and states are called by. Default: its place, "0", "1", … */
  readonly name?: string;
}

const merges = {
  concat,
  sum: (a: Expr, b: Expr) => a.plus(b),
  mul: (a: Expr, b: Expr) => a.times(b),
  mean: (a: Expr, b: Expr) => a.plus(b).times(0.5),
};

/**
 * A cell run over the sequence. [T, B, inputSize] → [T, B, width of the cell's output] (twice that when bidirectional and concatenated).
 * Parameters: `0.W.i` …; with several layers or directions `0.l1.W.i`, `0.l1.reverse.W.i`. States likewise: `0.h`, `0.l1.reverse.h`.
 * @throws RecurraError INVALID_ARGUMENT, UNKNOWN_NAME; SHAPE_MISMATCH where it is applied to another width
 */
export function recurrent(cell: Cell, options: RecurrentOptions): Layer {
  const who = "recurrent";
  checkOptions(
    options,
    [
      "inputSize",
      "hiddenSize",
      "layers",
      "bidirectional",
      "merge",
      "reverse",
      "dropout",
      "recurrentDropout",
      "initializers",
      "name",
    ],
    who,
  );
  const { inputSize, hiddenSize, layers = 1, merge = "concat", dropout = 0, initializers = {} } = options;
  const { bidirectional = false, reverse = false, recurrentDropout = 0 } = options;
  check(
    Array.isArray((cell as Partial<Cell> | null)?.weights),
    who,
    "a cell",
    cell,
    "; call a cell that has options",
  );
  for (const [key, size] of Object.entries({ inputSize, hiddenSize, layers }))
    checkWhole(size, `${who}: ${key}`);
  probability(dropout, `${who}: dropout`);
  probability(recurrentDropout, `${who}: recurrentDropout`);
  for (const [key, flag] of Object.entries({ bidirectional, reverse }))
    checkOneOf(flag, [true, false], `${who}: ${key}`);
  check(!bidirectional || !reverse, who, "either bidirectional or reverse", "both");
  checkOneOf(merge, Object.keys(merges), `${who}: merge`);
  checkOptions(initializers, cell.weights, `${who}: initializers`);

  return namedLayer(cell.name, inputSize, options.name, (x, parameters, states) => {
    check(
      x.node.domain === "sequence",
      who,
      "a value at every step",
      "one row a sequence",
      "; put `last` after it",
    );
    let value = x;
    for (let level = 0; level < layers; level++) {
      const input = level > 0 ? drop(value, dropout) : value;
      const run = (backwards: boolean): Expr => {
        const suffix =
          layers > 1 || bidirectional ? `.l${level}${bidirectional && backwards ? ".reverse" : ""}` : "";
        return cell.apply({
          x: input,
          name: parameters + suffix,
          stateName: states + suffix,
          reverse: backwards,
          hiddenSize,
          initializers,
          drop: (h) => drop(h, recurrentDropout, `dropout ${states}${suffix}`),
        });
      };
      value = bidirectional ? merges[merge](run(false), run(true)) : run(reverse);
    }
    return value;
  });
}

export interface DenseOptions {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly name?: string;
}

/**
 * W·x + b at every step: [T, B, inputSize] → [T, B, outputSize]; after `last`, [B, …]. Parameters: `W` [outputSize, inputSize], `b`
 * [outputSize]; uniform ±1/√inputSize.
 * @throws RecurraError INVALID_ARGUMENT, UNKNOWN_NAME; SHAPE_MISMATCH where it is applied to another width
 */
export function dense(options: DenseOptions): Layer {
  checkOptions(options, ["inputSize", "outputSize", "name"], "dense");
  const { inputSize, outputSize, name } = options;
  checkWhole(inputSize, "dense: inputSize");
  checkWhole(outputSize, "dense: outputSize");
  return namedLayer("dense", inputSize, name, (x, own) => {
    const initializer = uniform(1 / Math.sqrt(inputSize));
    const W = new Matrix(x.graph, parameter(x, `${own}.W`, [outputSize, inputSize], initializer));
    return W.dot(x).plus(new Expr(x.graph, parameter(x, `${own}.b`, [outputSize], initializer)));
  });
}

export interface EmbeddingOptions {
  /** How many ids there are; ids run from 0. */
  readonly vocabularySize: number;
  readonly outputSize: number;
  readonly name?: string;
}

/**
 * Ids [T, B] or [T, B, 1] → rows of the table `W` [vocabularySize, outputSize], standard normal: [T, B, outputSize].
 * @throws RecurraError INVALID_ARGUMENT, UNKNOWN_NAME; UNSUPPORTED for more than 2²⁴ ids; a call INVALID_ARGUMENT for an id out of range
 */
export function embedding(options: EmbeddingOptions): Layer {
  checkOptions(options, ["vocabularySize", "outputSize", "name"], "embedding");
  const { vocabularySize, outputSize, name } = options;
  checkWhole(vocabularySize, "embedding: vocabularySize");
  if (vocabularySize > 2 ** 24)
    fail(
      "UNSUPPORTED",
      `embedding: expected at most 2²⁴ ids, which float32 tells apart, got ${vocabularySize}`,
    );
  checkWhole(outputSize, "embedding: outputSize");
  return namedLayer("embedding", 1, name, (x, own) => {
    const { graph, node } = x;
    // An input, or what a mask leaves of it: ids can be checked before anything runs.
    const ids = node.op === "map" && node.fn === "select" ? node.args[1] : node;
    if (ids?.op !== "input")
      fail("INVALID_ARGUMENT", "embedding: expected an input of ids, got a computed value");
    const [before, read] = [graph.ids.get(ids.name), idsBelow(vocabularySize)];
    graph.ids.set(ids.name, before ? (data, who) => read(before(data, who), who) : read);
    const table = parameter(x, `${own}.W`, [vocabularySize, outputSize], normal(1));
    return new Expr(graph, gather(graph, table, node));
  });
}

/**
 * Drops values with this probability and scales the rest up, when a gradient is taken with dropout; otherwise the identity.
 * @throws RecurraError INVALID_ARGUMENT
 */
export function dropout(p: number): Layer {
  probability(p, "dropout");
  return (x) => drop(x, p);
}

/** @param once the name of a mask that all steps share, and all that are dropped by it */
function drop(x: Expr, probability: number, once?: string): Expr {
  const graph = graphOf(x, "dropout");
  if (!graph.options.dropout || probability === 0) return x;
  const keep = 1 - probability;
  const domain = x.node.domain === "batch" ? "batch" : "sequence";
  const { dropouts } = graph;
  const input = graph.input(once ?? `dropout.${dropouts.length}`, x.width, domain);
  if (!dropouts.some((other) => other.input === input))
    dropouts.push({ input, keep, once: once !== undefined });
  return select(new Expr(graph, input), x.times(1 / keep), 0);
}

/** A function as a layer: `activation(tanh)`. */
export function activation(fn: (x: Expr) => Expr): Layer {
  check(typeof fn === "function", "activation", "a function of an expression", fn);
  return (x) => fn(x);
}

/** The value at each row's last step: [T, B, width] → [B, width]; 0 for an empty row. */
export function last(x: Expr): Expr {
  const graph = graphOf(x, "last");
  check(x.node.domain === "sequence", "last", "a value at every step", "a single row a sequence");
  const rows = graph.input("last", 1, "batch");
  graph.derived.set(rows.name, lastRows);
  return new Expr(graph, gather(graph, x.node, rows));
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
  checkWhole(size, "layerNorm: size");
  return namedLayer("layerNorm", size, name, (x, own) => {
    const vector = (local: string, value: number): Expr =>
      new Expr(x.graph, parameter(x, `${own}.${local}`, [size], constant(value)));
    return normalize(x).times(vector("gain", 1)).plus(vector("bias", 0));
  });
}

/** A parameter in a storage of its own. */
const parameter = (
  { graph }: Expr,
  name: string,
  shape: readonly number[],
  initializer: Initializer,
): ParameterNode => graph.parameter(name, name, shape, initializer);

function probability(p: number, who: string): void {
  check(typeof p === "number" && p >= 0 && p < 1, who, "a probability from 0 up to but not including 1", p);
}
