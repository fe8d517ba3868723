/**
 * Networks: layers applied to sequence expressions. A layer is a function from an expression to an expression, so a cell's
 * functions (tanh, concat, plus …) mix freely with layers.
 */
import { fail } from "./errors.ts";
import { kindOf } from "./tensor.ts";
import { Expr, Graph, type InputNode, type Node, type StateNode } from "./expr.ts";

/** A layer: applied to a sequence expression it gives another. `inputSize` is known where the layer has weights on its input. */
export interface Layer {
  (x: Expr): Expr;
  readonly inputSize?: number;
}

export interface BuildOptions {
  /** Rows have lengths: steps past a row's end keep its states and give 0. */
  readonly masked?: boolean;
  /** Dropout draws its masks. */
  readonly dropout?: boolean;
}

/** Ids as floats. Allocates nothing where they are floats. @throws INVALID_ARGUMENT where they aren't ids */
export type ReadIds = (data: unknown, who: string) => Float32Array;

/** A mask to be drawn: 1 with probability `keep`. */
export interface Dropout {
  readonly input: InputNode;
  readonly keep: number;
}

/** What a network means: its graph, with names for all that goes in and comes out. */
export class NetworkGraph extends Graph {
  readonly inputs = new Map<string, InputNode>();
  readonly outputs = new Map<string, Node>();
  readonly states = new Map<string, StateNode>();
  readonly traces = new Map<string, Node>();
  readonly dropouts: Dropout[] = [];
  readonly layers: { readonly name: string; readonly kind: string; readonly width: number }[] = [];
  /** 1 where the row's sequence has this step, else 0. */
  readonly mask: InputNode | undefined;
  #lastStep: InputNode | undefined;
  readonly #names = new Map<object, { readonly name: string; uses: number }>();
  /** The name that the next layer gets unless it has one: its place in a stack. */
  place: string | undefined;

  constructor(readonly options: BuildOptions) {
    super();
    this.mask = options.masked ? this.input("mask", 1, "sequence") : undefined;
  }

  /** Row numbers (t · B + b) of each row's last step; −1 for an empty row. */
  get lastStep(): InputNode | undefined {
    return this.#lastStep;
  }

  /** Inputs that hold ids, with what checks and converts them. */
  readonly ids = new Map<string, ReadIds>();

  /** Note that a node must be an input of ids, so that they can be checked before anything runs. */
  expectIds(node: Node, read: ReadIds): void {
    const input = node.op === "map" && node.fn === "select" ? node.args[1] : node;
    if (input?.op !== "input")
      fail("INVALID_ARGUMENT", "embedding: expected an input of ids, got a computed value");
    const before = this.ids.get(input.name);
    this.ids.set(input.name, before ? (data, who) => read(before(data, who), who) : read);
  }

  last(v: Node): Node {
    if (v.domain !== "sequence")
      fail(
        "INVALID_ARGUMENT",
        "last: expected a value at every step, got one that has a single row a sequence",
      );
    this.#lastStep ??= this.input("last", 1, "batch");
    return this.gather(v, this.#lastStep);
  }

  /** `v` at the steps that a row has, `otherwise` past its end. */
  withinLength(v: Node, otherwise?: Node): Node {
    if (!this.mask || v.domain !== "sequence") return v;
    return this.map("select", this.mask, v, otherwise ?? this.constant(0));
  }

  /** A layer's name: its own, or its place. A layer applied again shares its parameters but not its states. */
  nameLayer(
    layer: object,
    wanted: string | undefined,
  ): { readonly parameters: string; readonly states: string } {
    let entry = this.#names.get(layer);
    if (!entry) {
      if (wanted !== undefined) checkName(wanted, "layer");
      const name = wanted ?? this.place ?? String(this.#names.size);
      if ([...this.#names.values()].some((other) => other.name === name))
        fail(
          "INVALID_ARGUMENT",
          `network: expected layers with different names, got two called ${name}; give one of them a name of its own`,
        );
      this.#names.set(layer, (entry = { name, uses: 0 }));
    }
    entry.uses++;
    return { parameters: entry.name, states: entry.uses === 1 ? entry.name : `${entry.name}#${entry.uses}` };
  }

  drop(v: Expr, probability: number): Expr {
    if (!this.options.dropout || probability === 0) return v;
    const input = this.input(
      `dropout.${this.dropouts.length}`,
      v.width,
      v.node.domain === "batch" ? "batch" : "sequence",
    );
    this.dropouts.push({ input, keep: 1 - probability });
    const kept = this.map("times", v.node, this.constant(1 / (1 - probability)));
    return new Expr(this, this.map("select", input, kept, this.constant(0)));
  }
}

/** The network graph that an expression belongs to. */
export function networkOf(x: Expr, who: string): NetworkGraph {
  if (x instanceof Expr && x.graph instanceof NetworkGraph) return x.graph;
  fail(
    "INVALID_ARGUMENT",
    `${who}: expected an expression of a network, got ${kindOf(x)}; apply layers inside network() or stack()`,
  );
}

export interface Network {
  /** Widths of the inputs, by name. */
  readonly inputs: Readonly<Record<string, number>>;
  build(options?: BuildOptions): NetworkGraph;
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
  for (const [name, width] of Object.entries(inputs)) {
    checkName(name, "input", ["mask", "last"]);
    positive(width, `network: width of input ${name}`);
  }
  if (Object.keys(inputs).length === 0)
    fail("INVALID_ARGUMENT", "network: expected at least one input, got none");
  const result: Network = {
    inputs,
    build(options = {}) {
      const graph = new NetworkGraph(options);
      const expressions = Object.fromEntries(
        Object.entries(inputs).map(([name, width]) => {
          const node = graph.input(name, width, "sequence");
          graph.inputs.set(name, node);
          // What lies past a row's end may be anything, NaN too.
          return [name, new Expr(graph, graph.withinLength(node))];
        }),
      );
      const defined = define(expressions as { readonly [K in keyof I]: Expr });
      const outputs = defined instanceof Expr ? { output: defined } : defined;
      if (typeof outputs !== "object" || (outputs as unknown) === null)
        fail(
          "INVALID_ARGUMENT",
          `network: expected an expression, or several by name, got ${kindOf(outputs)}`,
        );
      for (const [name, value] of Object.entries(outputs)) {
        checkName(name, "output");
        if (networkOf(value, `network: output ${name}`) !== graph)
          fail(
            "INVALID_ARGUMENT",
            `network: expected output ${name} from its own inputs, got another network's`,
          );
        const { node } = value;
        graph.outputs.set(
          name,
          graph.withinLength(node.domain === "one" ? graph.expand(node, node.width, "sequence") : node),
        );
      }
      if (graph.outputs.size === 0)
        fail("INVALID_ARGUMENT", "network: expected at least one output, got none");
      return graph;
    },
  };
  result.build(); // misfits show here, not at the first run
  return result;
}

/** Names with dots or spaces are made by Recurra: of states, gates and gradients; so are the inputs `mask` and `last`. */
function checkName(name: string, what: string, taken: readonly string[] = []): void {
  if (name === "" || typeof name !== "string" || /[.#\s]/.test(name) || taken.includes(name))
    fail(
      "INVALID_ARGUMENT",
      `network: expected ${what} names without dots and spaces${taken.map((t) => `, other than ${t}`).join("")}, got "${name}"`,
    );
}

/** Layers one after another. Its input is called x; layers without a name are called by their place: "0", "1", … */
export function stack(...layers: readonly Layer[]): Network {
  for (const layer of layers)
    if (typeof layer !== "function")
      fail(
        "INVALID_ARGUMENT",
        `stack: expected layers, got ${kindOf(layer)}; a cell becomes a layer by recurrent(cell, …)`,
      );
  const sized = layers.find((layer) => layer.inputSize !== undefined);
  if (!sized?.inputSize)
    fail(
      "INVALID_ARGUMENT",
      "stack: expected a layer with an inputSize, got none; add recurrent(…), dense(…) or embedding(…)",
    );
  return network({ x: sized.inputSize }, ({ x }) =>
    layers.reduce((value, layer, i) => {
      networkOf(value, "stack").place = String(i);
      return layer(value);
    }, x),
  );
}

/** Checks a size. @throws INVALID_ARGUMENT */
export function positive(value: number, who: string): number {
  if (!Number.isInteger(value) || value < 1)
    fail("INVALID_ARGUMENT", `${who}: expected a whole number of at least 1, got ${value}`);
  return value;
}
