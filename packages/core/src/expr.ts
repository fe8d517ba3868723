/** What cells and networks are written in: expressions over the graph, with methods for sums and functions for the rest. */
import { kindOf } from "./check.ts";
import type { FunctionName, ReduceName } from "./backend.ts";
import { fail } from "./errors.ts";
import { describe, join, reduce, type Graph, type Node } from "./graph.ts";

export * from "./graph.ts";

/** What cells and networks compute with: a vector at every step. Widths must agree; a width of 1 is repeated. */
export class Expr {
  constructor(
    readonly graph: Graph,
    readonly node: Node,
  ) {}
  get width(): number {
    return this.node.width;
  }
  plus(...others: readonly (Expr | number)[]): Expr {
    return others.reduce<Expr>((sum, other) => apply("plus", sum, other), this);
  }
  minus(other: Expr | number): Expr {
    return apply("minus", this, other);
  }
  times(other: Expr | number): Expr {
    return apply("times", this, other);
  }
  over(other: Expr | number): Expr {
    return apply("over", this, other);
  }
}

/** A parameter matrix [out, in]. */
export class Matrix {
  constructor(
    readonly graph: Graph,
    readonly node: Node,
    /** What becomes of a vector first: dropout. */
    readonly before = (v: Expr): Expr => v,
  ) {}
  /** The matrix-vector product, of width out. */
  dot(v: Expr): Expr {
    const { graph, node } = this;
    const by = nodeOf(this.before(v), "dot", graph);
    if (by.width !== node.width)
      fail(
        "SHAPE_MISMATCH",
        `${describe(node)}.dot: expected a vector of ${node.width}, got ${describe(by)} of ${by.width}; a matrix is [out, in]`,
      );
    return new Expr(graph, graph.product(node, by));
  }
}

/** A pointwise function on expressions; numbers become constants. */
export function apply(fn: FunctionName, ...args: readonly (Expr | number)[]): Expr {
  const graph = graphOf((args.find((a) => typeof a !== "number") ?? args[0]) as Expr, fn);
  return new Expr(
    graph,
    graph.map(fn, ...args.map((a) => (typeof a === "number" ? graph.constant(a) : nodeOf(a, fn, graph)))),
  );
}

/** The graph that an expression belongs to. @throws INVALID_ARGUMENT where it isn't one */
export function graphOf(v: Expr, who: string): Graph {
  nodeOf(v, who);
  return v.graph;
}

/** The node of an expression. @throws INVALID_ARGUMENT where it isn't one, or belongs to another graph */
export function nodeOf(v: Expr, who: string, graph: Graph = v?.graph): Node {
  if (v instanceof Expr && v.graph === graph) return v.node;
  fail(
    "INVALID_ARGUMENT",
    `${who}: expected an expression, got ${v instanceof Expr ? "another network's" : (v as unknown) instanceof Matrix ? "a matrix; apply it with dot" : `${kindOf(v)}; use network()`}`,
  );
}

type Unary = (v: Expr) => Expr;
type Operand = Expr | number;
const unary =
  (fn: FunctionName): Unary =>
  (v) =>
    apply(fn, v);

export const neg: Unary = /* @__PURE__ */ unary("neg");
export const exp: Unary = /* @__PURE__ */ unary("exp");
export const log: Unary = /* @__PURE__ */ unary("log");
export const tanh: Unary = /* @__PURE__ */ unary("tanh");
export const sigmoid: Unary = /* @__PURE__ */ unary("sigmoid");
export const relu: Unary = /* @__PURE__ */ unary("relu");
/** log(1 + exp(v)), which doesn't overflow. */
export const softplus: Unary = /* @__PURE__ */ unary("softplus");
export const abs: Unary = /* @__PURE__ */ unary("abs");
export const sqrt: Unary = /* @__PURE__ */ unary("sqrt");
/** 1 / √v. */
export const rsqrt: Unary = /* @__PURE__ */ unary("rsqrt");
export const reciprocal: Unary = /* @__PURE__ */ unary("reciprocal");
export const max = (a: Operand, b: Operand): Expr => apply("max", a, b);
export const min = (a: Operand, b: Operand): Expr => apply("min", a, b);
export const clamp = (v: Operand, low: Operand, high: Operand): Expr => apply("clamp", v, low, high);
/** 1 where a < b, else 0. */
export const less = (a: Operand, b: Operand): Expr => apply("less", a, b);
export const lessEqual = (a: Operand, b: Operand): Expr => apply("lessEqual", a, b);
export const equal = (a: Operand, b: Operand): Expr => apply("equal", a, b);
/** a where the condition isn't 0, else b. */
export const select = (condition: Operand, a: Operand, b: Operand): Expr => apply("select", condition, a, b);

const reduction =
  (fn: ReduceName): Unary =>
  (v) => {
    const graph = graphOf(v, fn);
    return new Expr(graph, reduce(graph, fn, v.node));
  };
/** Over the row: a width of 1. */
export const rowSum: Unary = /* @__PURE__ */ reduction("sum");
export const rowMean: Unary = /* @__PURE__ */ reduction("mean");
export const rowMax: Unary = /* @__PURE__ */ reduction("max");

/** Side by side: widths add. */
export function concat(...parts: readonly Expr[]): Expr {
  const graph = graphOf(parts[0] as Expr, "concat");
  return new Expr(graph, join(graph, ...parts.map((part) => nodeOf(part, "concat", graph))));
}
