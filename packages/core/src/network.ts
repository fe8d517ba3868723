/**
 * Networks: layers applied to sequence expressions. A layer is a function from an expression to an expression, so a cell's
 * functions (tanh, concat, plus …) mix freely with layers.
 */
import { check, checkName, isRecord, positive } from "./check.ts";
import { fail } from "./errors.ts";
import { Expr, Graph, graphOf, nodeOf, type BuildOptions } from "./expr.ts";

export { positive } from "./check.ts";
/** A network's graph, with names for all that goes in and comes out. */
export { Graph as NetworkGraph, type BuildOptions } from "./expr.ts";

/** A layer: applied to a sequence expression it gives another. `inputSize` is known where the layer has weights on its input. */
export interface Layer {
  (x: Expr): Expr;
  readonly inputSize?: number;
}

/**
 * A layer with weights. It is called by its own name, or by its place in a stack. Applied again, it shares its parameters
 * but not its states, and so has two names.
 */
export function namedLayer(
  kind: string,
  inputSize: number,
  name: string | undefined,
  define: (x: Expr, parameters: string, states: string) => Expr,
): Layer {
  const layer = (x: Expr): Expr => {
    const graph = graphOf(x, kind);
    if (x.width !== inputSize)
      fail(
        "SHAPE_MISMATCH",
        `${kind}: expected an input of width ${inputSize} (its inputSize), got ${x.width}`,
      );
    const { layers } = graph;
    const before = layers.filter((other) => other.layer === layer);
    let parameters = before[0]?.name;
    let states = `${parameters}#${before.length + 1}`;
    if (parameters === undefined) {
      const place = graph.place ?? String(new Set(layers.map((other) => other.layer)).size);
      states = parameters = name === undefined ? place : name;
      checkName(
        states,
        `${kind}: name`,
        layers.map((other) => other.name),
      );
    }
    const y = define(x, parameters, states);
    layers.push({ layer, name: states, kind, width: y.width });
    return y;
  };
  return Object.assign(layer, { inputSize });
}

export interface Network {
  /** Widths of the inputs, by name. */
  readonly inputs: Readonly<Record<string, number>>;
  build(options?: BuildOptions): Graph;
}

/**
 * A network from a function of its inputs.
 * @param inputs the width of each input, by name
 * @param define applies layers and functions; returns the output, or several by name
 */
export function network<const I extends Readonly<Record<string, number>>>(
  inputs: I,
  define: (inputs: { readonly [K in keyof I]: Expr }) => Expr | Readonly<Record<string, Expr>>,
): Network {
  const who = "network";
  check(isRecord(inputs) && Object.keys(inputs).length > 0, who, "the width of at least one input", inputs);
  check(typeof define === "function", who, "a function of its inputs", define);
  for (const [name, width] of Object.entries(inputs)) {
    checkName(name, "network: input", ["mask", "last"]);
    positive(width, `network: width of input ${name}`);
  }
  const result: Network = {
    inputs,
    build(options) {
      const graph = new Graph(options);
      const expressions: Record<string, Expr> = {};
      for (const [name, width] of Object.entries(inputs)) {
        const node = graph.input(name, width, "sequence");
        graph.inputs.set(name, node);
        // What lies past a row's end may be anything, NaN too.
        expressions[name] = new Expr(graph, graph.within(node));
      }
      const defined = define(expressions as { readonly [K in keyof I]: Expr });
      const outputs = defined instanceof Expr ? { output: defined } : defined;
      check(
        isRecord(outputs) && Object.keys(outputs).length > 0,
        who,
        "an expression, or at least one output by name",
        outputs,
      );
      for (const [name, value] of Object.entries(outputs)) {
        checkName(name, "network: output");
        const node = nodeOf(value, `network: output ${name}`, graph);
        graph.outputs.set(
          name,
          graph.within(node.domain === "one" ? graph.expand(node, node.width, "sequence") : node),
        );
      }
      return graph;
    },
  };
  result.build(); // misfits show here, not at the first run
  return result;
}

/** Layers one after another. Its input is called x; layers without a name are called by their place: "0", "1", … */
export function stack(...layers: readonly Layer[]): Network {
  for (const layer of layers)
    check(
      typeof layer === "function",
      "stack",
      "layers",
      layer,
      "; a cell becomes a layer by recurrent(cell, …)",
    );
  const inputSize = layers.find((layer) => layer.inputSize)?.inputSize;
  if (!inputSize)
    fail(
      "INVALID_ARGUMENT",
      "stack: expected a layer with an inputSize, got none; add recurrent(…), dense(…) or embedding(…)",
    );
  return network({ x: inputSize }, ({ x }) =>
    layers.reduce((value, layer, i) => {
      graphOf(value, "stack").place = String(i);
      return layer(value);
    }, x),
  );
}
