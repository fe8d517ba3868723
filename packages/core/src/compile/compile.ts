/**
 * From a graph to a program: place → join and stack → fuse → lower → plan memory. Each pass is a file; between passes the
 * meaning is the same, which `verify` checks.
 */
import type { Backend, Program } from "../backend.ts";
import { fail } from "../errors.ts";
import type { Graph, Node, ParameterNode, StateNode } from "../graph.ts";
import type { Root } from "./homes.ts";
import { assignLevels } from "./levels.ts";
import { lower } from "./lower.ts";
import { assignPlaces } from "./place.ts";
import { separateAddends, type Backward } from "./stack.ts";
import { joinSums } from "./sums.ts";
import { collect, isLeaf, type Value } from "./value.ts";

export interface CompileOptions {
  readonly name: string;
  /** What the program leaves in output buffers. */
  readonly outputs: ReadonlyMap<string, Node>;
  /** Parameter → its gradient; left in output buffers that are shaped like the parameters' storages. */
  readonly gradients?: ReadonlyMap<ParameterNode, Node>;
  /** States that the caller gives and takes; others are carried only if an output needs them. */
  readonly states: readonly StateNode[];
  readonly target: CompileTarget;
  /** The passes that a graph with an adjoint wants. */
  readonly backward?: Backward;
  /** Called with the program after every pass that makes one. Tests and the conformance kit give `verify`. */
  readonly check?: (program: Program, target: CompileTarget) => void;
}

export type CompileTarget = Pick<Backend, "limits" | "inPlace" | "projection">;

/** Compile a graph for a backend. Output names: as given; gradients are called `d.` + the parameter's name. */
export function compile(
  graph: Graph,
  {
    name,
    outputs,
    gradients = new Map<ParameterNode, Node>(),
    states,
    target,
    backward,
    check,
  }: CompileOptions,
): Program {
  const wanted: { name: string; node: Node; gradientOf?: ParameterNode }[] = [
    ...[...outputs].map(([key, node]) => ({ name: key, node })),
    ...[...gradients].map(([gradientOf, node]) => ({ name: `d.${gradientOf.name}`, node, gradientOf })),
  ];
  for (const state of states)
    if (!graph.next.has(state)) fail("INTERNAL", `state ${state.name} is never carried`);
  const values = collect(wanted.map((w) => w.node), graph.next, states); // prettier-ignore

  const taken = new Set<Value>(values.next.values());
  const rootValues = wanted.map(({ node, gradientOf }) => {
    let value = values.of.get(node) as Value;
    // A gradient is written into its storage, so it needs a value of its own; so does an output that is only a leaf.
    if (
      (isLeaf(value) && value.op !== "state") ||
      value.op === "slice" ||
      (gradientOf && (taken.has(value) || isLeaf(value)))
    )
      value = values.make({
        op: "map",
        fn: "copy",
        label: "copy",
        width: value.width,
        rows: value.rows,
        domain: value.domain,
        args: [value],
      });
    if (gradientOf) taken.add(value);
    return value;
  });
  values.sort(rootValues);
  assignPlaces(values, rootValues, backward);
  joinSums(values, rootValues, target);
  separateAddends(values, rootValues, assignLevels(values));
  const roots = wanted.map(({ name: key, gradientOf }, i): Root => ({
    name: key,
    value: rootValues[i] as Value,
    gradientOf,
  }));
  let lowered: Program = { name, ...lower(values, roots, backward) };
  const { maps } = target.limits;
  if (maps) lowered = maps.split(lowered);
  check?.(lowered, target);
  if (!backward) return lowered;
  const planned = backward.share(lowered);
  check?.(planned, target);
  return planned;
}
