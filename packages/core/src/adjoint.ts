/**
 * Reverse-mode differentiation (Linnainmaa 1970), done once, on the graph: the gradient is more graph. Each loop gets a mirror
 * that walks the other way and carries ∂L/∂state; its initial value is the gradient of the final state, its final value that
 * of the initial state. That is back-propagation through time (Werbos 1990).
 */
import { fail } from "./errors.ts";
import {
  join,
  outer,
  reduce,
  scatterAdd,
  slice,
  type Graph,
  type InputNode,
  type Node,
  type ParameterNode,
  type StateNode,
} from "./graph.ts";
import { derivatives } from "./functions.ts";

export interface Adjoint {
  /** ∂L/∂parameter, shaped like it. A parameter that L doesn't depend on is absent. */
  readonly parameters: ReadonlyMap<ParameterNode, Node>;
  readonly inputs: ReadonlyMap<InputNode, Node>;
  /** The carried ∂L/∂state of each state. */
  readonly states: ReadonlyMap<StateNode, StateNode>;
}

/**
 * Add the gradient of L to the graph.
 * @param seeds value → ∂L/∂value, for everything that L depends on directly (final states aside)
 * @param mask 0 at steps past a row's end. What a cell computes there may have an infinite slope, and 0·∞ must reach neither
 * a parameter nor, through the carried gradient, the row's own steps.
 */
export function differentiate(graph: Graph, seeds: ReadonlyMap<Node, Node>, mask?: Node): Adjoint {
  const originals = [...graph.nodes];
  const states = new Map<StateNode, StateNode>();
  const flows = new Map<Node, Node[]>();
  const flow = (to: Node, delta: Node): void => {
    if (to.op === "constant") return;
    const known = flows.get(to);
    if (known) known.push(delta);
    else flows.set(to, [delta]);
  };
  const total = (node: Node): Node | undefined =>
    flows.get(node)?.reduce((sum, delta) => graph.map("plus", sum, delta));

  const within = (delta: Node, otherwise: Node = graph.constant(0)): Node =>
    mask && delta.domain === "sequence" ? graph.map("select", mask, delta, otherwise) : delta;

  for (const [node, delta] of seeds) flow(node, delta);
  for (const loop of [...graph.loops]) {
    const mirror = graph.loop(`d.${loop.name}`, !loop.reverse);
    for (const state of loop.states) {
      const next = graph.next.get(state);
      if (!next) fail("INTERNAL", `state ${state.name} is never carried`);
      const carried = graph.state(mirror, `d.${state.name}`, state.width, 0);
      states.set(state, carried);
      flow(next, carried);
    }
  }

  for (const node of originals.reverse()) {
    const delta = total(node);
    if (!delta) continue;
    for (const [to, contribution] of contributions(graph, node, delta, within))
      flow(to, unbroadcast(graph, contribution, node, to, within));
  }

  const parameters = new Map<ParameterNode, Node>();
  const inputs = new Map<InputNode, Node>();
  for (const node of flows.keys()) {
    const delta = total(node) as Node;
    if (node.op === "parameter") parameters.set(node, delta);
    if (node.op === "input") inputs.set(node, graph.expand(delta, node.width));
  }
  for (const [state, carried] of states) {
    const before = total(state);
    // A step past the end keeps the state, and so its gradient.
    graph.next.set(carried, graph.expand(before ? within(before, carried) : graph.constant(0), state.width));
  }
  return { parameters, inputs, states };
}

/** What flows from a node to its arguments. */
function contributions(
  graph: Graph,
  node: Node,
  delta: Node,
  within: (delta: Node) => Node,
): readonly (readonly [Node, Node])[] {
  const [a, b] = node.args as [Node, Node];
  switch (node.op) {
    case "input":
    case "state":
    case "parameter":
    case "constant":
      return [];
    case "map":
      return derivatives[node.fn](graph, node, delta).flatMap((d, i) =>
        d ? [[node.args[i] as Node, d] as const] : [],
      );
    case "product":
      return [
        [a, node.transposed ? outer(graph, b, within(delta)) : outer(graph, within(delta), b)],
        [b, graph.product(a, delta, !node.transposed)],
      ];
    case "reduce":
      if (node.fn === "max") {
        // Equal maxima share it.
        const largest = graph.map("equal", a, node);
        const share = graph.map("over", delta, reduce(graph, "sum", largest));
        return [[a, graph.map("select", largest, share, graph.constant(0))]];
      }
      return [
        [
          a,
          graph.expand(
            node.fn === "sum" ? delta : graph.map("times", delta, graph.constant(1 / a.width)),
            a.width,
          ),
        ],
      ];
    case "concat": {
      let start = 0;
      return node.args.map(
        (arg) => [arg, slice(graph, delta, (start += arg.width) - arg.width, arg.width)] as const,
      );
    }
    case "gather":
      return [[a, scatterAdd(graph, a, b, delta)]];
    case "slice": {
      const zeros = (width: number): Node[] =>
        width > 0 ? [graph.expand(graph.constant(0), width, delta.domain)] : [];
      return [[a, join(graph, ...zeros(node.start), delta, ...zeros(a.width - node.start - node.width))]];
    }
    case "outer":
    case "scatterAdd":
      return fail(
        "UNSUPPORTED",
        `the gradient of ${node.op} isn't derived; second derivatives aren't supported`,
      );
  }
}

/** An argument that was repeated over columns or rows receives the sum over them. */
function unbroadcast(graph: Graph, delta: Node, from: Node, to: Node, within: (delta: Node) => Node): Node {
  if (from.op !== "map") return delta;
  let sum = delta;
  if (to.width === 1 && from.width > 1) sum = reduce(graph, "sum", graph.expand(sum, from.width));
  if (to.domain === "one" && from.domain !== "one") sum = outer(graph, graph.constant(1), within(sum));
  return sum;
}
