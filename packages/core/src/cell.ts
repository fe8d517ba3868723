/**
 * How a cell is declared: its states, its gates' weights, and its equations for one step. From this alone Recurra derives
 * the gradient, plans the kernels and runs them on every backend.
 *
 * Declaring has no side effects, and says so to bundlers: the cells that a page doesn't use are left out of it.
 */
import { check, checkName, isRecord, isWhole } from "./check.ts";
import { Expr, Matrix, nodeOf, type Node } from "./expr.ts";
import { fail } from "./errors.ts";
import { uniform, type Initializer } from "./initializers.ts";
import { checkOptions } from "./options.ts";

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

/** Where a cell is applied. */
export interface CellSite {
  readonly x: Expr;
  /** Prefix of the parameters' names; may differ from the states' where a layer is applied twice. */
  readonly name: string;
  readonly stateName: string;
  readonly reverse: boolean;
  readonly hiddenSize: number;
  /** Of weights, or of whole groups of gates, in place of those that the cell declares. */
  readonly initializers: Readonly<Record<string, Initializer>>;
}

export interface Cell {
  readonly name: string;
  /** What initializers may be given for: a weight ("W.i"), or a group of gates ("W"). */
  readonly weights: readonly string[];
  /** Gives the output; states and traces are noted in the graph. */
  apply(site: CellSite): Expr;
}

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
  const { name, state, W = [], U = [], b = [], weights = {} as P, step } = declaration;
  const who = `cell ${name}`;
  check(typeof name === "string", "cell: name", "a text", name);
  check(typeof step === "function", who, "a step", step);
  check(Array.isArray(state) || isRecord(state), who, "states by name", state);
  check(isRecord(weights), who, "weights by name", weights);

  const declared: readonly (readonly [string, StateShape])[] = Array.isArray(state)
    ? state.map((key: string) => [key, {}])
    : Object.entries(state);
  const states = declared.map(([key, shape]) => {
    checkOptions(shape, ["width", "initial"], `${who}: ${key}`);
    const { width, initial } = { width: "H" as const, initial: 0, ...shape };
    check(typeof initial === "number", `${who}: initial ${key}`, "a number", initial);
    return [key, { width, initial }] as const;
  });
  const h = states.find(([key]) => key === "h");
  if (!h)
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected a state called h, got ${states.map(([key]) => key).join(", ") || "none"}; h is what the recurrent matrices U apply to`,
    );
  const groups: readonly (readonly [string, WeightSpec<unknown>])[] = [
    ["W", { gates: W, rows: "H", width: "I" }],
    ["U", { gates: U, rows: "H", width: h[1].width }],
    ["b", { gates: b, width: "H" }],
    ...Object.entries<WeightSpec<unknown>>(weights),
  ];
  for (const [group, spec] of groups) {
    checkOptions(spec, ["gates", "rows", "width", "initializer", "value"], `${who}: ${group}`);
    const { gates = [] } = spec;
    check(Array.isArray(gates), `${who}: ${group}`, "a list of gates", gates);
    for (const gate of gates) checkName(gate, `${who}: gates of ${group}`);
  }
  // What a step is given or gives back under other names than these.
  const taken = ["x", "y"];
  for (const [key, { width, rows = 1 }] of [...states, ...groups] as typeof groups) {
    checkName(key, `${who}: states and weights`, taken);
    taken.push(key);
    for (const size of [width, rows])
      check(
        size === "I" || size === "H" || isWhole(size),
        `${who}: size of ${key}`,
        '"I", "H" or a whole number of at least 1',
        size,
      );
  }

  return {
    name,
    weights: groups.flatMap(([group, { gates }]) =>
      gates ? gates.flatMap((gate) => [group, `${group}.${gate}`]) : group,
    ),

    apply({ x, name: prefix, stateName, reverse, hiddenSize, initializers }) {
      const { graph } = x;
      const sizeOf = (size: Size): number => (size === "I" ? x.width : size === "H" ? hiddenSize : size);
      const byDefault = uniform(1 / Math.sqrt(hiddenSize));
      const loop = graph.loop(stateName, reverse);
      const values: Record<string, unknown> = { x };
      for (const [key, { width, initial }] of states) {
        const node = graph.state(loop, `${stateName}.${key}`, sizeOf(width), initial);
        graph.states.set(node.name, node);
        values[key] = new Expr(graph, node);
      }
      for (const [group, { gates, rows, width, initializer = byDefault }] of groups) {
        // Of all gates in one storage: matrices are stacked by rows, vectors are a row each.
        const weight = (local: string): Expr | Matrix => {
          const node = graph.parameter(
            `${prefix}.${local}`,
            `${prefix}.${group}`,
            (rows ? [rows, width] : [width]).map(sizeOf),
            initializers[local] ?? initializers[group] ?? initializer,
          );
          return new (rows ? Matrix : Expr)(graph, node);
        };
        values[group] = gates
          ? named(
              `${who}: ${group}`,
              Object.fromEntries(gates.map((gate) => [gate, weight(`${group}.${gate}`)])),
            )
          : weight(group);
      }

      const first = graph.nodes.length;
      const returned: unknown = step(values as Parameters<typeof step>[0]);
      check(isRecord(returned), who, "its step to return the next states by name", returned);
      const traces = new Map<string, Node>();
      for (const gate of [...W, ...U, ...b]) {
        const matrices = ["W", "U"].map((group) => graph.parameters.get(`${prefix}.${group}.${gate}`));
        const value = gateValue(matrices, graph.nodes.slice(first));
        if (value) traces.set(gate, value);
      }
      const results = new Map<string, Node>();
      for (const [key, value] of Object.entries(returned)) {
        if (value === undefined) continue;
        const node = nodeOf(value as Expr, `${who}: ${key} of its step`, graph);
        // What follows from parameters alone is the same at every step.
        results.set(key, graph.expand(node, node.width, "sequence"));
      }
      for (const state of loop.states) {
        const key = state.name.slice(stateName.length + 1);
        const next = results.get(key);
        if (!next)
          fail(
            "INVALID_ARGUMENT",
            `${who}: expected its step to return the next ${key}, got ${[...results.keys()].join(", ") || "nothing"}`,
          );
        if (next.width !== state.width)
          fail(
            "SHAPE_MISMATCH",
            `state ${state.name}: expected width ${state.width}, got ${next.width}; a step must return each state in its own width`,
          );
        graph.next.set(state, graph.within(next, state));
      }
      for (const [key, node] of new Map([...traces, ...results]))
        graph.traces.set(`${stateName}.${key}`, graph.within(node));
      return new Expr(graph, graph.within((results.get("y") ?? results.get("h")) as Node));
    },
  };
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
function gateValue(matrices: readonly (Node | undefined)[], nodes: readonly Node[]): Node | undefined {
  const reached = new Set(matrices);
  let sum: Node | undefined;
  for (const node of nodes) {
    if (!node.args.some((a) => reached.has(a))) continue;
    reached.add(node);
    const fn = node.op === "map" ? node.fn : "";
    if (activations.has(fn)) return node;
    if (!sum || (fn === "plus" && node.args.includes(sum))) sum = node;
  }
  return sum;
}
