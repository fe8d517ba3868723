/**
 * Reverse-mode differentiation (Linnainmaa 1970), done once, on the graph: the gradient is more graph. Each loop gets a mirror
 * that walks the other way and carries ∂L/∂state; its initial value is the gradient of the final state, its final value that
 * of the initial state. That is back-propagation through time (Werbos 1990).
 */
import { fail } from "./errors.ts";
import { equal, Expr, rowSum, select } from "./expr.ts";
import {
  join, outer, reduce, scatterAdd, slice, type Graph, type InputNode, type Node, type ParameterNode, type StateNode,
} from "./graph.ts"; // prettier-ignore
import { derivatives } from "./functions.ts";

export interface Adjoint {
  /** ∂L/∂parameter, shaped like it. A parameter that L doesn't depend on is absent. */
  readonly parameters: ReadonlyMap<ParameterNode, Node>;
  readonly inputs: ReadonlyMap<InputNode, Node>;
  /** The carried ∂L/∂state of each state. */
  readonly states: ReadonlyMap<StateNode, StateNode>;
}

/**
 * Add the gradient of L to the graph. Past a row's end ∂L/∂value is 0 and ∂L/∂state stays: what a cell computes there may
 * have an infinite slope, and 0·∞ must reach neither a parameter nor, through the carried gradient, the row's own steps.
 * @param seeds pairs of a value and ∂L/∂value, for everything that L depends on directly (final states aside)
 */
export function differentiate(graph: Graph, seeds: Iterable<readonly [Node, Node]>): Adjoint {
  const originals = [...graph.nodes].reverse();
  const flows = new Map<Node, Node>();
  const flow = (to: Node, delta: Node): void => {
    const known = flows.get(to);
    flows.set(to, known ? graph.map("plus", known, delta) : delta);
  };
  for (const [value, seed] of seeds) flow(value, seed);

  const states = new Map<StateNode, StateNode>();
  for (const loop of [...graph.loops]) {
    const mirror = graph.loop(`d.${loop.name}`, !loop.reverse);
    for (const [state, after] of graph.next) {
      if (state.loop !== loop) continue;
      const carried = graph.state(mirror, `d.${state.name}`, state.width, 0);
      states.set(state, carried);
      flow(after, carried);
    }
  }

  const parameters = new Map<ParameterNode, Node>();
  const inputs = new Map<InputNode, Node>();
  for (const node of originals) {
    const delta = flows.get(node);
    if (!delta) continue;
    if (node.op === "parameter") parameters.set(node, delta);
    if (node.op === "input") inputs.set(node, graph.expand(delta, node.width));
    contributions(graph, node, delta).forEach((part, i) => {
      const to = node.args[i] as Node;
      if (part && to.op !== "constant") flow(to, unbroadcast(graph, part, node, to));
    });
  }
  for (const [state, carried] of states) {
    const before = flows.get(state);
    // A step past the end keeps the state, and so its gradient.
    graph.next.set(
      carried,
      graph.expand(before ? graph.within(before, carried) : graph.constant(0), state.width),
    );
  }
  return { parameters, inputs, states };
}

/** What flows from a node to each of its arguments. */
function contributions(graph: Graph, node: Node, delta: Node): readonly (Node | undefined)[] {
  const { args } = node;
  const [a, b] = args as [Node, Node];
  const of = (v: Node): Expr => new Expr(graph, v);
  switch (node.op) {
    case "map": {
      const [x, y, z] = args.map(of) as [Expr, Expr, Expr];
      return derivatives[node.fn]?.(of(delta), of(node), x, y, z).map((d) => d?.node) ?? [];
    }
    case "product":
      return [
        node.transposed ? outer(graph, b, graph.within(delta)) : outer(graph, graph.within(delta), b),
        graph.product(a, delta, !node.transposed),
      ];
    case "reduce": {
      if (node.fn === "sum") return [graph.expand(delta, a.width)];
      if (node.fn === "mean") return [graph.expand(of(delta).times(1 / a.width).node, a.width)];
      // Equal maxima share it.
      const largest = equal(of(a), of(node));
      return [select(largest, of(delta).over(rowSum(largest)), 0).node];
    }
    case "concat": {
      let start = 0;
      return args.map(({ width }) => slice(graph, delta, (start += width) - width, width));
    }
    case "slice": {
      const zeros = (width: number): Node[] =>
        width > 0 ? [graph.expand(graph.constant(0), width, delta.domain)] : [];
      return [join(graph, ...zeros(node.start), delta, ...zeros(a.width - node.start - node.width))];
    }
    case "gather":
      return [scatterAdd(graph, a, b, delta)];
    case "outer":
    case "scatterAdd":
      return fail("UNSUPPORTED", "gradient: second derivatives aren't derived");
    case "input":
    case "state":
    case "parameter":
    case "constant":
      return [];
  }
}

/** An argument that was repeated over columns or rows receives the sum over them. */
function unbroadcast(graph: Graph, delta: Node, from: Node, to: Node): Node {
  if (from.op !== "map") return delta;
  let sum = delta;
  if (to.width === 1 && from.width > 1) sum = reduce(graph, "sum", graph.expand(sum, from.width));
  if (to.domain === "one" && from.domain !== "one") sum = outer(graph, graph.constant(1), graph.within(sum));
  return sum;
}
