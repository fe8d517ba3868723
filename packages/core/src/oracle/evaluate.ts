/**
 * Evaluates a graph as it is written, with no plan: loops step by step, everything else over all rows at once. It knows nothing
 * of programs and kernels, so that it can judge them.
 */
import { fail } from "../errors.ts";
import { describe, type Graph, type Node, type StateNode } from "../graph.ts";
import { compute } from "./exact.ts";
import { float64, type Arithmetic, type OracleInputs, type Value } from "./value.ts";

/**
 * The values of `wanted`: a row for each step and sequence (row t · batch + b), for each sequence, or of a parameter's shape,
 * as the node's domain says. A state's value is the one before each step.
 * @throws RecurraError where an input or parameter is missing or has the wrong length, or a loop can't be evaluated step by step
 */
export function evaluate(
  graph: Graph,
  wanted: readonly Node[],
  inputs: OracleInputs,
  arithmetic: Arithmetic = float64,
): ReadonlyMap<Node, Value> {
  const { steps, batch } = inputs;
  const found = new Map<Node, Value>();
  const pinned = (node: Node): Float64Array | undefined =>
    node.op === "state" && inputs.pinned?.[node.name]
      ? given(node, inputs.pinned[node.name], steps * batch)
      : undefined;
  const needs = (node: Node): readonly Node[] => {
    if (node.op !== "state") return node.args;
    const next = graph.next.get(node) ?? fail("INTERNAL", `oracle: state ${node.name} is never carried`);
    return pinned(node) ? [] : [next];
  };

  const make = (node: Node): Value => {
    const rows = node.domain === "sequence" ? steps * batch : node.domain === "batch" ? batch : node.rows;
    const leaf = known(node, inputs, rows) ?? pinned(node);
    const args = node.args.map((arg) => found.get(arg)!);
    const value = {
      rows,
      width: node.width,
      data: leaf ?? new Float64Array(rows * node.width),
      ...arithmetic.track?.(node, args, rows),
    };
    found.set(node, value);
    if (leaf) arithmetic.finish?.(node, value, args, 0, rows);
    return value;
  };
  const run = (node: Node, from: number, to: number): void => {
    const value = found.get(node)!;
    const args = node.args.map((arg) => found.get(arg)!);
    compute(node, value, args, from, to);
    arithmetic.finish?.(node, value, args, from, to);
  };

  const groups = ordered(wanted, needs);
  const left = new Map<Node, number>();
  for (const node of groups.flat()) for (const need of needs(node)) left.set(need, (left.get(need) ?? 0) + 1);
  for (const node of wanted) left.set(node, Infinity);

  for (const group of groups) {
    for (const node of group) make(node);
    const carried = group.filter((node): node is StateNode => node.op === "state" && !pinned(node));
    if (carried.length > 0) {
      const { reverse } = loopOf(carried, group);
      for (let i = 0; i < steps; i++) {
        const from = (reverse ? steps - 1 - i : i) * batch;
        for (const node of group)
          if (node.op === "state") carry(node, found, needs(node)[0]!, inputs, from, from + batch);
          else run(node, from, from + batch);
      }
    } else for (const node of group) if (!leaves.has(node.op)) run(node, 0, found.get(node)!.rows);
    // A sequence's worth of every node is too much to keep.
    for (const need of group.flatMap(needs)) {
      const uses = left.get(need)! - 1;
      left.set(need, uses);
      if (uses === 0) found.delete(need);
    }
  }
  return found;
}

/** The state after the last step in its loop's direction (the initial one after no step). `value`: of the state's next node, as evaluated. */
export function finalState(
  graph: Graph,
  state: StateNode,
  values: ReadonlyMap<Node, Value>,
  inputs: OracleInputs,
): Value {
  const { steps, batch } = inputs;
  const next =
    values.get(graph.next.get(state)!) ??
    fail("INTERNAL", `oracle: evaluate the next value of ${state.name} too`);
  if (steps === 0) return { rows: batch, width: state.width, data: initial(state, inputs) };
  const from = state.loop.reverse ? 0 : (steps - 1) * batch;
  const part = (all: Float64Array): Float64Array => takeRows(all, next, from, batch);
  return {
    rows: batch,
    width: state.width,
    data: part(next.data),
    ...(next.error && { error: part(next.error) }),
  };
}

const leaves: ReadonlySet<string> = new Set(["input", "parameter", "constant", "state"]);

function takeRows(all: Float64Array, { rows, width }: Value, from: number, count: number): Float64Array {
  if (rows !== 1 || (from === 0 && count === 1)) return all.slice(from * width, (from + count) * width);
  return Float64Array.from({ length: count * width }, (_, i) => all[i % width]!);
}

function given(node: Node, values: ArrayLike<number> | undefined, rows: number): Float64Array {
  if (!values) fail("UNKNOWN_NAME", `oracle: expected values for ${node.op} ${describe(node)}, got none`);
  if (values.length !== rows * node.width)
    fail(
      "SHAPE_MISMATCH",
      `oracle: expected ${rows} · ${node.width} values for ${node.op} ${describe(node)}, got ${values.length}`,
    );
  return Float64Array.from(values);
}

function known(node: Node, inputs: OracleInputs, rows: number): Float64Array | undefined {
  if (node.op === "constant") return Float64Array.of(node.value);
  if (node.op === "input") return given(node, inputs.inputs?.[node.name], rows);
  if (node.op === "parameter") return given(node, inputs.parameters?.[node.name], rows);
  return undefined;
}

const initial = (state: StateNode, { states, batch }: OracleInputs): Float64Array =>
  states?.[state.name]
    ? given(state, states[state.name], batch)
    : new Float64Array(batch * state.width).fill(state.initial);

/** A state before a step is its next value at the step before, in the loop's direction. */
function carry(
  state: StateNode,
  found: ReadonlyMap<Node, Value>,
  next: Node,
  inputs: OracleInputs,
  from: number,
  to: number,
): void {
  const [value, source] = [found.get(state)!, found.get(next)!];
  const { batch, steps } = inputs;
  const before = state.loop.reverse ? to : from - batch;
  const first = before < 0 || before >= steps * batch;
  value.data.set(
    first ? initial(state, inputs) : takeRows(source.data, source, before, batch),
    from * value.width,
  );
  if (!value.error) return;
  if (first || !source.error) value.error.fill(0, from * value.width, to * value.width);
  else value.error.set(takeRows(source.error, source, before, batch), from * value.width);
}

function loopOf(states: readonly StateNode[], group: readonly Node[]): StateNode["loop"] {
  const loop = states[0]!.loop;
  if (states.some((state) => state.loop.reverse !== loop.reverse))
    fail(
      "UNSUPPORTED",
      `oracle: loops ${states.map((s) => s.loop.name).join(" and ")} walk in different directions and need each other's steps`,
    );
  const whole = group.find(
    (node) =>
      node.domain !== "sequence" ||
      node.op === "scatterAdd" ||
      (node.op === "gather" && node.args[0]!.domain === "sequence"),
  );
  if (whole)
    fail(
      "UNSUPPORTED",
      `oracle: ${describe(whole)} needs every step of loop ${loop.name} at once, inside that loop`,
    );
  return loop;
}

/**
 * All that is needed, in groups of nodes that need each other (the body of a loop; mostly a single node), each after what it
 * needs. Tarjan 1972, "Depth-first search and linear graph algorithms", without recursion. Within a group, by id: an argument
 * is older than its node.
 */
function ordered(wanted: readonly Node[], needs: (node: Node) => readonly Node[]): Node[][] {
  interface Visit {
    readonly node: Node;
    readonly needs: readonly Node[];
    next: number;
    low: number;
    readonly index: number;
  }
  const visits = new Map<Node, Visit>();
  const closed = new Set<Node>();
  const open: Node[] = [];
  const groups: Node[][] = [];
  const path: Visit[] = [];
  const enter = (node: Node): void => {
    const visit = { node, needs: needs(node), next: 0, low: visits.size, index: visits.size };
    visits.set(node, visit);
    open.push(node);
    path.push(visit);
  };
  for (const root of wanted) {
    if (!visits.has(root)) enter(root);
    while (path.length > 0) {
      const visit = path[path.length - 1]!;
      const need = visit.needs[visit.next++];
      if (need) {
        const known = visits.get(need);
        if (!known) enter(need);
        else if (!closed.has(need)) visit.low = Math.min(visit.low, known.index);
        continue;
      }
      path.pop();
      const parent = path[path.length - 1];
      if (parent) parent.low = Math.min(parent.low, visit.low);
      if (visit.low !== visit.index) continue;
      const group = open.splice(open.lastIndexOf(visit.node));
      for (const node of group) closed.add(node);
      groups.push(group.sort((a, b) => a.id - b.id));
    }
  }
  return groups;
}
