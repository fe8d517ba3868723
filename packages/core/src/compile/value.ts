/**
 * What the planner works on: the graph's nodes as values that can be cloned, moved and rewritten without touching the graph.
 */
import type { FunctionName, ReduceName } from "../backend.ts";
import type { ConstantNode, Domain, InputNode, Loop, Node, ParameterNode, StateNode } from "../graph.ts";

/** One product of a sum: matrix·v (or matrixᵀ·v), or Σ over rows of a ⊗ b. */
export interface Term {
  readonly kind: "product" | "outer";
  readonly transposed: boolean;
  /** product: the matrix; outer: a. */
  readonly left: Value;
  /** product: the vector; outer: b. */
  readonly right: Value;
}

export interface Value {
  readonly id: number;
  readonly op:
    | "input"
    | "state"
    | "parameter"
    | "constant"
    | "gemm"
    | "map"
    | "reduce"
    | "concat"
    | "slice"
    | "gather"
    | "scatterAdd";
  readonly label: string;
  readonly width: number;
  readonly rows: number;
  readonly domain: Domain;
  /** Of a map. */
  readonly fn: FunctionName | undefined;
  /** Of a reduce. */
  readonly reduce: ReduceName | undefined;
  /** Of a slice: its first column. */
  readonly start: number;
  /** The leaf it stands for. */
  readonly leaf: InputNode | StateNode | ParameterNode | ConstantNode | undefined;
  /** Arguments; of a gemm: the addend, if any. */
  args: Value[];
  /** Of a gemm. */
  terms: Term[];
  /** The loop it is computed in; undefined: over all rows of the chunk at once. */
  loop: Loop | undefined;
  /** The part of the program that computes it (see place.ts). */
  at: number;
}

export const leaves: ReadonlySet<Value["op"]> = new Set<Value["op"]>([
  "input",
  "state",
  "parameter",
  "constant",
]);

export const isLeaf = (v: Value): boolean => leaves.has(v.op);

/** All that a value is computed from. */
export function operands(v: Value): Value[] {
  return v.op === "gemm" ? [...v.args, ...v.terms.flatMap((t) => [t.left, t.right])] : v.args;
}

/** The values of one compilation, in an order in which each comes after what it is computed from. */
export class Values {
  readonly all: Value[] = [];
  readonly of = new Map<Node, Value>();
  /** State → its value after the step. */
  readonly next = new Map<Value, Value>();

  make(fields: Partial<Value> & Pick<Value, "op" | "width" | "domain">): Value {
    const value: Value = {
      label: "", rows: 1, fn: undefined, reduce: undefined, start: 0, leaf: undefined, args: [], terms: [], loop: undefined, at: 0,
      ...fields, id: this.all.length,
    }; // prettier-ignore
    this.all.push(value);
    return value;
  }

  /** Values that read each value, in order. */
  consumers(): Map<Value, Value[]> {
    const found = new Map<Value, Value[]>(this.all.map((v) => [v, []]));
    for (const v of this.all) for (const a of new Set(operands(v))) found.get(a)?.push(v);
    return found;
  }

  /** Let everything read other values instead, then sort. */
  replace(replaced: ReadonlyMap<Value, Value>, roots: Value[]): void {
    const fresh = new Set(replaced.values());
    const now = (v: Value): Value => replaced.get(v) ?? v;
    for (const v of this.all) {
      // A replacement may read what it replaces.
      if (!fresh.has(v)) v.args = v.args.map(now);
      else v.args = v.args.map((a) => (replaced.get(a) === v ? a : now(a)));
      v.terms = v.terms.map((t) => ({ ...t, left: now(t.left), right: now(t.right) }));
    }
    for (const [state, next] of this.next) this.next.set(state, now(next));
    roots.forEach((root, i) => (roots[i] = now(root)));
    this.sort(roots);
  }

  /** Keep only what the roots need, in topological order (states are leaves; their next values are roots too). */
  sort(roots: Iterable<Value>): void {
    const done = new Set<Value>();
    const order: Value[] = [];
    // Depth first with a stack of our own: chains of thousands of nodes must not overflow the call stack.
    for (const root of [...roots, ...this.next.values()]) {
      const pending: { v: Value; i: number }[] = [{ v: root, i: 0 }];
      while (pending.length) {
        const top = pending[pending.length - 1] as { v: Value; i: number };
        if (top.i === 0 && done.has(top.v)) {
          pending.pop();
          continue;
        }
        done.add(top.v);
        const next = operands(top.v)[top.i++];
        if (next === undefined) {
          order.push(top.v);
          pending.pop();
        } else if (!done.has(next)) pending.push({ v: next, i: 0 });
      }
    }
    this.all.splice(0, this.all.length, ...order);
  }
}

/** Collect the part of a graph that the roots and the wanted states need. */
export function collect(
  roots: readonly Node[],
  next: ReadonlyMap<StateNode, Node>,
  wanted: readonly StateNode[],
): Values {
  const values = new Values();
  const pending: Node[] = [...roots, ...wanted];
  const needed = new Set<Node>();
  while (pending.length) {
    const node = pending.pop() as Node;
    if (needed.has(node)) continue;
    needed.add(node);
    pending.push(...node.args);
    const after = node.op === "state" ? next.get(node) : undefined;
    if (after) pending.push(after);
  }
  // Nodes are numbered after their arguments.
  for (const node of [...needed].sort((a, b) => a.id - b.id)) {
    const args = node.args.map((a) => values.of.get(a) as Value);
    const shape = { width: node.width, rows: node.rows, domain: node.domain };
    const [left, right] = args as [Value, Value];
    const value =
      node.op === "product" || node.op === "outer"
        ? values.make({
            op: "gemm",
            ...shape,
            terms: [{ kind: node.op, transposed: node.op === "product" && node.transposed, left, right }],
          })
        : node.op === "map"
          ? values.make({ op: "map", fn: node.fn, label: node.fn, ...shape, args })
          : node.op === "reduce"
            ? values.make({ op: "reduce", reduce: node.fn, label: node.fn, ...shape, args })
            : node.op === "slice"
              ? values.make({ op: "slice", start: node.start, ...shape, args })
              : node.op === "concat" || node.op === "gather" || node.op === "scatterAdd"
                ? values.make({ op: node.op, ...shape, args })
                : values.make({
                    op: node.op,
                    leaf: node,
                    label: node.op === "constant" ? String(node.value) : node.name,
                    ...shape,
                  });
    values.of.set(node, value);
  }
  const taken = new Set<Value>();
  for (const [state, after] of next) {
    const value = values.of.get(state);
    if (!value) continue;
    let result = values.of.get(after) as Value;
    // A state needs a value of its own, computed in its loop, to be written by.
    if (
      isLeaf(result) ||
      taken.has(result) ||
      result.op === "slice" ||
      result.op === "concat" ||
      result.width !== value.width ||
      result.domain !== "sequence"
    )
      result = values.make({
        op: "map",
        fn: "copy",
        label: "copy",
        width: value.width,
        domain: "sequence",
        args: [result],
      });
    taken.add(result);
    values.next.set(value, result);
  }
  return values;
}
