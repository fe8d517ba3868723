/**
 * What a cell is made of: its states, its gates' weights, and its equations for one step. From this alone Recurra derives
 * the gradient, plans the kernels and runs them on every backend.
 *
 * Recurra's own cells are built here; a user's is declared in `declare.ts`, which checks it first. Neither has side effects,
 * and both say so to bundlers: the cells that a page doesn't use are left out of it.
 */
import { Expr, Matrix, type Node } from "./expr.ts";
import { uniform, type Initializer } from "./initializers.ts";

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
  /** Of what the matrices U apply to. */
  readonly drop?: (h: Expr) => Expr;
}

export interface Cell {
  readonly name: string;
  /** What initializers may be given for: a weight ("W.i"), or a group of gates ("W"). */
  readonly weights: readonly string[];
  /** Gives the output; states and traces are noted in the graph. */
  apply(site: CellSite): Expr;
}

/** Build a cell from a declaration that makes sense. */
/* @__NO_SIDE_EFFECTS__ */
export function cell<
  const S extends string,
  const W extends string = never,
  const U extends string = never,
  const B extends string = never,
  const P extends Readonly<Record<string, WeightSpec<unknown>>> = Record<never, never>,
>({ name, state, W = [], U = [], b = [], weights, step }: CellDeclaration<S, W, U, B, P>): Cell {
  const shapes = shapesOf(state);
  const groups = Object.entries<WeightSpec<unknown>>({
    W: { gates: W, rows: "H", width: "I" },
    U: { gates: U, rows: "H", width: shapes["h"]?.width ?? "H" },
    b: { gates: b, width: "H" },
    ...weights,
  });

  return {
    name,
    weights: [
      ...new Set(
        groups.flatMap(([group, { gates }]) =>
          gates ? gates.flatMap((gate) => [group, `${group}.${gate}`]) : group,
        ),
      ),
    ],

    apply({ x, name: prefix, stateName, reverse, hiddenSize, initializers, drop }) {
      const { graph } = x;
      const sizeOf = (size: Size): number => (size === "I" ? x.width : size === "H" ? hiddenSize : size);
      const values: Record<string, unknown> = { x };
      const loop = graph.loop(stateName, reverse);
      const states = Object.entries(shapes).map(([key, { width = "H", initial = 0 }]) => {
        const node = graph.state(loop, `${stateName}.${key}`, sizeOf(width), initial);
        graph.states.set(node.name, node);
        values[key] = new Expr(graph, node);
        return [key, node] as const;
      });
      const byDefault = uniform(1 / Math.sqrt(hiddenSize));
      for (const [group, { gates, rows, width, initializer = byDefault }] of groups) {
        // Gates share a storage: matrices are stacked by rows, vectors are a row each.
        const weight = (local: string): Expr | Matrix => {
          const node = graph.parameter(
            `${prefix}.${local}`,
            `${prefix}.${group}`,
            (rows ? [rows, width] : [width]).map(sizeOf),
            initializers[local] ?? initializers[group] ?? initializer,
          );
          return rows ? new Matrix(graph, node, group === "U" ? drop : undefined) : new Expr(graph, node);
        };
        values[group] = gates
          ? Object.fromEntries(gates.map((gate) => [gate, weight(`${group}.${gate}`)]))
          : weight(group);
      }

      const first = graph.nodes.length;
      const returned = step(values as Parameters<typeof step>[0]);
      const traces = new Map<string, Node | undefined>();
      const nodes = graph.nodes.slice(first);
      for (const gate of [...W, ...U, ...b]) {
        const matrices = ["W", "U"].map((group) => graph.parameters.get(`${prefix}.${group}.${gate}`));
        traces.set(gate, gateValue(matrices, nodes));
      }
      const results: Record<string, Node> = {};
      for (const [key, value] of Object.entries<Expr | undefined>(returned))
        if (value) traces.set(key, (results[key] = value.node));
      for (const [key, state] of states) graph.next.set(state, graph.atSteps(results[key] as Node, state));
      for (const [key, node] of traces)
        if (node) graph.traces.set(`${stateName}.${key}`, graph.atSteps(node));
      return new Expr(graph, graph.atSteps((results["y"] ?? results["h"]) as Node));
    },
  };
}

/** The shapes of a declaration's states. */
const shapesOf = (
  state: readonly string[] | Readonly<Record<string, StateShape>>,
): Readonly<Record<string, StateShape>> =>
  Array.isArray(state)
    ? Object.fromEntries(state.map((key: string) => [key, {}]))
    : (state as Readonly<Record<string, StateShape>>);

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
