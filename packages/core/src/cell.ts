/**
 * How a cell is declared: its states, its gates' weights, and its equations for one step. From this alone Recurra derives
 * the gradient, plans the kernels and runs them on every backend.
 *
 * Declaring has no side effects, and says so to bundlers: the cells that a page doesn't use are left out of it.
 */
import { Expr, Matrix, type Graph, type Loop, type Node, type StateNode } from "./expr.ts";
import { fail } from "./errors.ts";
import { checkOptions } from "./options.ts";
import { kindOf } from "./tensor.ts";
import type { Initializer } from "./initializers.ts";

/** A width: a number, the layer's inputSize ("I"), or its hiddenSize ("H"). */
export type Size = number | "I" | "H";

export interface WeightSpec<Value> {
  readonly gates?: readonly string[];
  /** Undefined for a vector. */
  readonly rows?: Size;
  readonly width: Size;
  readonly initializer?: Initializer;
  /** Carries the type only. */
  readonly value?: Value;
}

/** A parameter vector. */
/* @__NO_SIDE_EFFECTS__ */
export const vector = (width: Size, initializer?: Initializer): WeightSpec<Expr> => ({
  width,
  ...(initializer && { initializer }),
});

/** One parameter vector a gate: `vectors(["i", "f"], "H")` is `p.i` and `p.f`. */
/* @__NO_SIDE_EFFECTS__ */
export const vectors = <const G extends string>(
  gates: readonly G[],
  width: Size,
  initializer?: Initializer,
): WeightSpec<Readonly<Record<G, Expr>>> => ({ gates, width, ...(initializer && { initializer }) });

/** A parameter matrix [rows, width], applied with `dot`. */
/* @__NO_SIDE_EFFECTS__ */
export const matrix = (rows: Size, width: Size, initializer?: Initializer): WeightSpec<Matrix> => ({
  rows,
  width,
  ...(initializer && { initializer }),
});

export interface StateShape {
  /** Default: "H". */
  readonly width?: Size;
  /** What every element holds before the first step. Default: 0. */
  readonly initial?: number;
}

export type Step<S extends string, W extends string, U extends string, B extends string, P> = (
  values: {
    readonly x: Expr;
    readonly W: Readonly<Record<W, Matrix>>;
    readonly U: Readonly<Record<U, Matrix>>;
    readonly b: Readonly<Record<B, Expr>>;
  } & {
    readonly [K in S]: Expr;
  } & { readonly [K in keyof P]: P[K] extends WeightSpec<infer Value> ? Value : never },
) => { readonly [K in S]: Expr } & { readonly [traced: string]: Expr | undefined };

export interface CellDeclaration<S extends string, W extends string, U extends string, B extends string, P> {
  readonly name: string;
  /** The carried states; one is called h. A record gives widths and initial values. */
  readonly state: readonly S[] | { readonly [K in S]: StateShape };
  /** Gates with a matrix [H, I] on the input, a matrix [H, width of h] on the state, a bias [H]. */
  readonly W?: readonly W[];
  readonly U?: readonly U[];
  readonly b?: readonly B[];
  /** Any further weights, by name. */
  readonly weights?: P;
  /**
   * One step. Returns every state's next value; `y` too where the output isn't h. Whatever else it returns is traced
   * under that name; gates are traced by theirs without being returned.
   */
  readonly step: Step<S, W, U, B, P>;
}

/** What one application of a cell gave: its output, and the values a trace shows. */
export interface CellStep {
  readonly output: Node;
  readonly states: readonly StateNode[];
  readonly traces: ReadonlyMap<string, Node>;
}

export interface CellSite {
  readonly graph: Graph;
  readonly x: Expr;
  /** Prefix of the parameters' names; may differ from the states' where a layer is applied twice. */
  readonly name: string;
  readonly stateName: string;
  readonly reverse: boolean;
  readonly hiddenSize: number;
  /** The initializer of a parameter by its name in the cell ("W.i"). */
  initializer(name: string, declared: Initializer | undefined): Initializer;
  /** What the state really becomes (a masked step keeps it). */
  keep(state: StateNode, next: Node): Node;
}

export interface Cell {
  readonly name: string;
  /** How many matrices it applies to x and to h, for counting flops. */
  readonly gates: number;
  readonly states: readonly string[];
  apply(site: CellSite): CellStep;
}

/** What a step is given or gives back besides states and weights. */
const reserved: ReadonlySet<string> = new Set(["x", "W", "U", "b", "y"]);

/** Declare a cell. Sizes come later, with `recurrent(cell, { inputSize, hiddenSize })`. */
/* @__NO_SIDE_EFFECTS__ */
export function cell<
  const S extends string,
  const W extends string = never,
  const U extends string = never,
  const B extends string = never,
  const P extends Readonly<Record<string, WeightSpec<unknown>>> = Record<never, never>,
>(declaration: CellDeclaration<S, W, U, B, P>): Cell {
  checkOptions(declaration, ["name", "state", "W", "U", "b", "weights", "step"], "cell");
  const { name, W = [], U = [], b = [], weights = {} as P } = declaration;
  if (typeof declaration.step !== "function" || typeof declaration.state !== "object")
    fail("INVALID_ARGUMENT", `cell ${name}: expected its states and a step`);
  const shapes = new Map<string, StateShape>(
    Array.isArray(declaration.state)
      ? declaration.state.map((s: S) => [s, {}])
      : Object.entries<StateShape>(declaration.state as Record<S, StateShape>),
  );
  const own = [...shapes.keys(), ...Object.keys(weights)];
  const taken = own.find((key, i) => reserved.has(key) || own.indexOf(key) !== i);
  if (taken !== undefined)
    fail(
      "INVALID_ARGUMENT",
      `cell ${name}: expected states and weights to have names of their own, got ${taken} again; x, W, U, b and y are taken too`,
    );
  for (const [key, shape] of shapes)
    if ("width" in shape) checkSize(shape.width, `cell ${name}: width of state ${key}`);
  for (const [key, spec] of Object.entries<WeightSpec<unknown>>(weights)) {
    checkSize(spec.width, `cell ${name}: width of ${key}`);
    if ("rows" in spec) checkSize(spec.rows, `cell ${name}: rows of ${key}`);
  }
  if (!shapes.has("h"))
    fail(
      "INVALID_ARGUMENT",
      `cell ${name}: expected a state called h, got ${[...shapes.keys()].join(", ") || "none"}; h is what the recurrent matrices U apply to`,
    );

  return {
    name,
    gates: Math.max(W.length, U.length),
    states: [...shapes.keys()],

    apply({ graph, x, name: prefix, stateName, reverse, hiddenSize, initializer, keep }) {
      const size = (s: Size): number => (s === "I" ? x.width : s === "H" ? hiddenSize : s);
      const weight = (local: string, storage: string, spec: WeightSpec<unknown>): Node =>
        graph.parameter(
          `${prefix}.${local}`,
          `${prefix}.${storage}`,
          spec.rows === undefined ? [size(spec.width)] : [size(spec.rows), size(spec.width)],
          initializer(local, spec.initializer),
        );
      const wrap = (local: string, storage: string, spec: WeightSpec<unknown>): Expr | Matrix =>
        spec.rows === undefined
          ? new Expr(graph, weight(local, storage, spec))
          : new Matrix(graph, weight(local, storage, spec));
      const gated = (
        group: string,
        gates: readonly string[],
        spec: WeightSpec<unknown>,
      ): Readonly<Record<string, Expr | Matrix>> =>
        // A vector's gates lie beside each other in one storage of a row each; matrices are stacked by rows.
        named(
          `cell ${name}: ${group}`,
          Object.fromEntries(gates.map((gate) => [gate, wrap(`${group}.${gate}`, group, spec)])),
        );

      const loop: Loop = graph.loop(stateName, reverse);
      const states = [...shapes].map(([key, { width = "H", initial = 0 }]) =>
        graph.state(loop, `${stateName}.${key}`, size(width), initial),
      );
      const h = shapes.get("h")?.width ?? "H";
      const values: Record<string, unknown> = {
        x,
        W: gated("W", W, { rows: "H", width: "I" }),
        U: gated("U", U, { rows: "H", width: h }),
        b: gated("b", b, { width: "H" }),
      };
      [...shapes.keys()].forEach((key, i) => (values[key] = new Expr(graph, states[i] as StateNode)));
      for (const [key, spec] of Object.entries(weights))
        values[key] = spec.gates ? gated(key, spec.gates, spec) : wrap(key, key, spec);

      const first = graph.nodes.length;
      const result: Readonly<Record<string, Expr | undefined>> = declaration.step(
        values as Parameters<typeof declaration.step>[0],
      );
      const value = (key: string): Node | undefined => {
        const given: unknown = result[key];
        if (given === undefined) return undefined;
        if (!(given instanceof Expr))
          fail(
            "INVALID_ARGUMENT",
            `cell ${name}: expected its step to return an expression for ${key}, got ${kindOf(given)}`,
          );
        graph.own(given.node);
        // What follows from parameters alone is the same at every step.
        return graph.expand(given.node, given.width, "sequence");
      };
      if (typeof result !== "object" || (result as unknown) === null)
        fail(
          "INVALID_ARGUMENT",
          `cell ${name}: expected its step to return the next states, got ${kindOf(result)}`,
        );
      const traces = gateValues(graph, first, `${prefix}.`, [...new Set<string>([...W, ...U, ...b])]);
      [...shapes.keys()].forEach((key, i) => {
        const [state, next] = [states[i] as StateNode, value(key)];
        if (!next)
          fail(
            "INVALID_ARGUMENT",
            `cell ${name}: expected its step to return the next ${key}, got ${Object.keys(result).join(", ") || "nothing"}`,
          );
        graph.carry(state, keep(state, next));
      });
      for (const key of Object.keys(result)) {
        const node = value(key);
        if (node) traces.set(key, node);
      }
      return { output: (value("y") ?? value("h")) as Node, states, traces };
    },
  };
}

function checkSize(size: Size | undefined, who: string): void {
  if (size !== "I" && size !== "H" && !(Number.isInteger(size) && Number(size) >= 1))
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected "I", "H" or a whole number of at least 1, got ${String(size)}`,
    );
}

/** A record that answers an unknown name with a clear error, for those who write without types. */
function named<T>(who: string, record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return new Proxy(record, {
    get: (target, key) =>
      target[key as string] ??
      fail(
        "UNKNOWN_NAME",
        `${who}.${String(key)}: expected one of ${Object.keys(target).join(", ") || "no gates"}; declare the gate first`,
      ),
  });
}

const activations: ReadonlySet<string> = new Set(["tanh", "sigmoid", "relu", "exp", "softplus", "clamp"]);

/** A gate's value: the first activation that its matrices' products reach; without one, the sum that they enter. */
function gateValues(
  graph: Graph,
  first: number,
  prefix: string,
  gates: readonly string[],
): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const gate of gates) {
    const owns = (node: Node): boolean =>
      node.op === "product" &&
      ["W", "U"].some((group) => node.args[0] === graph.parameters.get(`${prefix}${group}.${gate}`));
    const reached = new Set<Node>();
    let sum: Node | undefined;
    for (const node of graph.nodes.slice(first)) {
      if (!owns(node) && !node.args.some((a) => reached.has(a))) continue;
      reached.add(node);
      if (node.op === "map" && activations.has(node.fn)) {
        sum = node;
        break;
      }
      if (!sum || (node.op === "map" && node.fn === "plus" && node.args.includes(sum))) sum = node;
    }
    if (sum) found.set(gate, sum);
  }
  return found;
}
