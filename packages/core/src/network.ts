/**
 * Networks: layers applied to sequence expressions. A layer is a function from an expression to an expression, so a cell's
 * functions (tanh, concat, plus …) mix freely with layers.
 */
import { check, checkName, checkWhole, isRecord, isWhole } from "./check.ts";
import { fail } from "./errors.ts";
import { Expr, Graph, graphOf, nodeOf, type BuildOptions } from "./expr.ts";

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
  /** Its graph, anew: what models compile. */
  build(options?: BuildOptions): Graph;
}

/** A network whose inputs and outputs are known to make sense. */
function assemble(
  inputs: Readonly<Record<string, number>>,
  define: (inputs: Readonly<Record<string, Expr>>, graph: Graph) => Readonly<Record<string, Expr>>,
): Network {
  const build = (options?: BuildOptions): Graph => {
    const graph = new Graph(options);
    const given: Record<string, Expr> = {};
    for (const [name, width] of Object.entries(inputs)) {
      const node = graph.input(name, width, "sequence");
      graph.inputs.set(name, node);
      // What lies past a row's end may be anything, NaN too.
      given[name] = new Expr(graph, graph.within(node));
    }
    for (const [name, { node }] of Object.entries(define(given, graph)))
      graph.outputs.set(name, graph.atSteps(node));
    return graph;
  };
  build(); // misfits show here, not at the first run
  return { inputs, build };
}

/**
 * A network from a function of its inputs.
 * @param inputs the width of each input, by name
 * @param define applies layers and functions; returns the output, or several by name
 * @throws RecurraError INVALID_ARGUMENT, SHAPE_MISMATCH where layers don't fit each other
 */
export function network<const I extends Readonly<Record<string, number>>>(
  inputs: I,
  define: (inputs: { readonly [K in keyof I]: Expr }) => Expr | Readonly<Record<string, Expr>>,
): Network {
  const who = "network";
  const some = (record: unknown): boolean => isRecord(record) && Object.keys(record).length > 0;
  check(some(inputs), who, "the width of at least one input by name", inputs);
  check(typeof define === "function", who, "a function of its inputs", define);
  for (const [name, width] of Object.entries(inputs)) {
    checkName(name, `${who}: input`, ["mask", "last"]);
    checkWhole(width, `${who}: width of input ${name}`);
  }
  return assemble(inputs, (given, graph) => {
    const defined = define(given as { readonly [K in keyof I]: Expr });
    const outputs = defined instanceof Expr ? { output: defined } : defined;
    check(some(outputs), who, "an expression, or at least one output by name", outputs);
    for (const [name, value] of Object.entries(outputs)) {
      checkName(name, `${who}: output`);
      nodeOf(value, `${who}: output ${name}`, graph);
    }
    return outputs;
  });
}

/**
 * Layers one after another. Its input is called x; layers without a name are called by their place: "0", "1", …
 * @throws RecurraError INVALID_ARGUMENT, SHAPE_MISMATCH where layers don't fit each other
 */
export function stack(...layers: readonly Layer[]): Network {
  const who = "stack";
  for (const layer of layers)
    check(typeof layer === "function", who, "layers", layer, "; a cell becomes one by recurrent(cell, …)");
  const inputSize = layers.find((layer) => layer.inputSize !== undefined)?.inputSize;
  check(
    isWhole(inputSize),
    who,
    "a layer with an inputSize",
    inputSize,
    "; add recurrent(…), dense(…) or embedding(…)",
  );
  return assemble({ x: inputSize }, ({ x }, graph) => {
    let output = x as Expr;
    layers.forEach((layer, i) => {
      graph.place = String(i);
      output = layer(output);
      nodeOf(output, `${who}: layer ${i}`, graph);
    });
    return { output };
  });
}
