/**
 * The pointwise functions, one record each: what it means in float64 (`values`) and, beside it, its derivative as more graph
 * (`derivatives`). Apart, so that a page that only infers ships neither.
 */
import type { FunctionName } from "./backend.ts";
import type { Graph, MapNode, Node } from "./graph.ts";

/** The exact meaning of each function; the oracle computes with these. */
export const values: Readonly<Record<FunctionName, (a: number, b: number, c: number) => number>> = {
  copy: (a) => a,
  neg: (a) => -a,
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sigmoid: (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a))),
  relu: (a) => (a < 0 ? 0 : a),
  softplus: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
  abs: Math.abs,
  sqrt: Math.sqrt,
  rsqrt: (a) => 1 / Math.sqrt(a),
  reciprocal: (a) => 1 / a,
  plus: (a, b) => a + b,
  minus: (a, b) => a - b,
  times: (a, b) => a * b,
  over: (a, b) => a / b,
  max: (a, b) => (a < b || b !== b ? b : a),
  min: (a, b) => (b < a || b !== b ? b : a),
  less: (a, b) => (a < b ? 1 : 0),
  lessEqual: (a, b) => (a <= b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
  clamp: (a, low, high) => (a < low ? low : high < a ? high : a),
  select: (condition, a, b) => (condition !== 0 ? a : b),
};

/** From a node y = fn(args) and δ = ∂L/∂y: ∂L/∂args (undefined where nothing flows). At a kink either side is right; ties go to the first argument. */
type Derivative = (graph: Graph, y: MapNode, delta: Node) => readonly (Node | undefined)[];

const where = (g: Graph, condition: Node, a: Node, b: Node): Node => g.map("select", condition, a, b);
const arg = (y: MapNode, i: number): Node => y.args[i] as Node;

export const derivatives: Readonly<Record<FunctionName, Derivative>> = {
  copy: (_, __, d) => [d],
  neg: (g, _, d) => [g.map("neg", d)],
  exp: (g, y, d) => [g.map("times", d, y)],
  log: (g, y, d) => [g.map("over", d, arg(y, 0))],
  tanh: (g, y, d) => [g.map("times", d, g.map("minus", g.constant(1), g.map("times", y, y)))],
  sigmoid: (g, y, d) => [g.map("times", d, g.map("times", y, g.map("minus", g.constant(1), y)))],
  relu: (g, y, d) => [where(g, g.map("less", arg(y, 0), g.constant(0)), g.constant(0), d)],
  softplus: (g, y, d) => [g.map("times", d, g.map("sigmoid", arg(y, 0)))],
  abs: (g, y, d) => [where(g, g.map("less", arg(y, 0), g.constant(0)), g.map("neg", d), d)],
  sqrt: (g, y, d) => [g.map("over", d, g.map("plus", y, y))],
  rsqrt: (g, y, d) => [
    g.map("times", d, g.map("times", g.constant(-0.5), g.map("times", y, g.map("times", y, y)))),
  ],
  reciprocal: (g, y, d) => [g.map("neg", g.map("times", d, g.map("times", y, y)))],
  plus: (_, __, d) => [d, d],
  minus: (g, _, d) => [d, g.map("neg", d)],
  times: (g, y, d) => [g.map("times", d, arg(y, 1)), g.map("times", d, arg(y, 0))],
  over: (g, y, d) => {
    const first = g.map("over", d, arg(y, 1));
    return [first, g.map("neg", g.map("times", first, y))];
  },
  max: (g, y, d) => choose(g, g.map("less", arg(y, 0), arg(y, 1)), d),
  min: (g, y, d) => choose(g, g.map("less", arg(y, 1), arg(y, 0)), d),
  less: () => [],
  lessEqual: () => [],
  equal: () => [],
  clamp: (g, y, d) => {
    const zero = g.constant(0);
    const below = g.map("less", arg(y, 0), arg(y, 1));
    const above = g.map("less", arg(y, 2), arg(y, 0));
    const [rest, low] = [where(g, below, zero, d), where(g, below, d, zero)];
    return [where(g, above, zero, rest), low, where(g, below, zero, where(g, above, d, zero))];
  },
  select: (g, y, d) => [
    undefined,
    where(g, arg(y, 0), d, g.constant(0)),
    where(g, arg(y, 0), g.constant(0), d),
  ],
};

/** δ to the second argument where `second` holds, else to the first. */
const choose = (g: Graph, second: Node, d: Node): readonly Node[] => [
  where(g, second, g.constant(0), d),
  where(g, second, d, g.constant(0)),
];
