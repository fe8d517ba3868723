/**
 * What the planner works on: the graph's nodes as values that can be cloned, moved and rewritten without touching the graph.
 * What a pass finds out about a value is written on the value.
 */
import type { FunctionName, ReduceName } from "../backend.ts";
import type { Domain, Loop, Node, StateNode, Storage } from "../graph.ts";

export interface Value {
  /** A "product" or "outer" may be a sum of several, with an addend: what one gemm computes. */
  op: Node["op"];
  width: number;
  rows: number;
  domain: Domain;
  /** What it is computed from. Of products: the addend, if any, then the operands of each product (see `products`). */
  args: readonly Value[];
  /** Of products: whether each one's matrix is transposed. */
  transposed: readonly boolean[];
  /** Of a map or a reduce. */
  readonly fn?: FunctionName | ReduceName;
  /** Of an input, a state or a parameter. */
  readonly name?: string;
  /** Of a constant. */
  readonly value?: number;
  /** Of a parameter, and of a parameter's gradient: the stacked matrix that holds it, and its first row there. */
  storage?: Storage;
  row?: number;
  /** Of a state. */
  readonly initial?: number;
  /** The first column: of a slice, in its argument; of what shares a buffer, in that. */
  start?: number;
  /** All that share its buffer, in order. */
  group?: readonly Value[];
  /** The state that carries it to the next step. */
  state?: Value;
  /** The loop it is computed in, or whose state it is; undefined: over all rows of the chunk at once. */
  loop?: Loop | undefined;
  /** The part of the program that computes it (see place.ts). */
  at: number;
  /** How many kernels of the part must run before it is there, its own among them (see levels.ts). */
  level: number;
}

/** One product of a sum: matrix·v (or matrixᵀ·v), or Σ over rows of a ⊗ b. */
export interface Term {
  /** The matrix, or a. */
  readonly left: Value;
  /** The vector, or b. */
  readonly right: Value;
  readonly transposed: boolean;
}

export interface Values {
  /** In an order in which each comes after what it is computed from. */
  all: readonly Value[];
  readonly roots: readonly Value[];
  /** State → its value after the step. */
  readonly next: ReadonlyMap<Value, Value>;
}

/** Inputs, states, parameters and constants: they are there, rather than computed. */
export const isLeaf = (v: Value): boolean => v.args.length === 0;

export const isGemm = (v: Pick<Value, "op">): boolean => v.op === "product" || v.op === "outer";

/** A sum: with products in it it becomes a gemm. */
export const isSum = (v: Value): boolean => v.op === "map" && v.fn === "plus";

/** What a gemm's products are added to. */
export const addendOf = ({ args }: Value): Value | undefined => (args.length % 2 ? args[0] : undefined);

/** The products of a gemm; of anything else, none. */
export const products = ({ args, transposed }: Value): Term[] =>
  transposed.map((t, i) => {
    const [left, right] = args.slice((args.length % 2) + 2 * i) as [Value, Value];
    return { left, right, transposed: t };
  });

export const sameShape = (a: Value, b: Value): boolean =>
  a.width === b.width && a.rows === b.rows && a.domain === b.domain;

/** A map that isn't in the graph. */
export const mapOf = (
  fn: FunctionName,
  { width, rows, domain, at, loop }: Pick<Value, "width" | "rows" | "domain" | "at" | "loop">,
  ...args: Value[]
): Value => ({ op: "map", fn, width, rows, domain, args, transposed: [], loop, at, level: 0 });

/**
 * What the roots need, each after what it is computed from; with `next`, also what states become.
 * Depth first with a stack of our own: chains of thousands of nodes must not overflow the call stack.
 */
export function sorted<N extends { readonly args: readonly N[] }>(
  roots: readonly N[],
  next?: ReadonlyMap<N, N>,
): N[] {
  const done = new Set<N>();
  const ends = [...roots];
  for (const end of ends) {
    const pending = [end];
    for (let v; (v = pending.at(-1));) {
      const waiting = v.args.find((a) => !done.has(a));
      if (waiting) pending.push(waiting);
      else {
        pending.pop();
        const after = done.has(v) ? undefined : next?.get(v);
        done.add(v);
        if (after) ends.push(after);
      }
    }
  }
  return [...done];
}

export const sort = (values: Values): void => {
  values.all = sorted([...values.roots, ...values.next.values()]);
};

/** The values that read each value, in order, once for each time that they read it. */
export function readersOf(values: Values): (v: Value) => readonly Value[] {
  const found = new Map<Value, Value[]>(values.all.map((v) => [v, []]));
  for (const v of values.all) for (const a of v.args) found.get(a)?.push(v);
  return (v) => found.get(v) ?? [];
}

/** What is wanted of a graph. */
export interface Wanted {
  readonly name: string;
  readonly node: Node;
  /** Where it is to lie, of a parameter's gradient. */
  readonly storage?: Storage;
  readonly row?: number;
}

/** The part of a graph that is wanted, with the states that carry it. */
export function collect(
  wanted: readonly Wanted[],
  states: readonly StateNode[],
  next: ReadonlyMap<Node, Node>,
): Values {
  const of = new Map<Node, Value>();
  const valueOf = (node: Node): Value => of.get(node) as Value;
  /** The loops whose states each node follows from. */
  const loops = new Map<Node, Set<unknown>>();
  const loopsOf = (node: Node): Set<unknown> => loops.get(node) as Set<unknown>;
  for (const node of sorted([...wanted.map((w) => w.node), ...states], next)) {
    of.set(node, {
      ...node,
      args: node.args.map(valueOf),
      transposed: isGemm(node) ? ["transposed" in node && node.transposed] : [],
      at: 0,
      level: 0,
    });
    loops.set(node, new Set([(node as StateNode).loop, ...node.args.flatMap((a) => [...loopsOf(a)])]));
  }

  const taken = new Set<Value>();
  /** A value to be written where `like` lies, and nowhere else. */
  const own = (v: Value, like: Value, foreign?: boolean): Value => {
    const mine = foreign || isLeaf(v) || v.op === "slice" || v.op === "concat" || taken.has(v) || !sameShape(v, like) ? mapOf("copy", { ...like, loop: undefined }, v) : v; // prettier-ignore
    taken.add(mine);
    return mine;
  };
  const carried = new Map<Value, Value>();
  for (const [node, after] of next) {
    const state = of.get(node);
    if (!state) continue;
    // What doesn't follow from its loop's states runs outside: the loop has a copy.
    const value = own(valueOf(after), state, !loopsOf(after).has(state.loop));
    value.state = state;
    carried.set(state, value);
  }
  const roots = wanted.map(({ node, storage, row }): Value => {
    const v = valueOf(node);
    if (storage) return Object.assign(own(v, v), { storage, row });
    return v.op === "slice" || (isLeaf(v) && v.op !== "state") ? mapOf("copy", v, v) : v;
  });
  const values = { all: [], roots, next: carried };
  sort(values);
  return values;
}
