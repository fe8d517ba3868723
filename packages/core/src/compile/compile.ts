/**
 * From a graph to a program: place → join and stack → fuse → lower → plan memory. Each pass is a file and keeps the
 * meaning, which the laws hold; `verify` checks the form of what comes out.
 */
import type { Backend, Program } from "../backend.ts";
import { fail } from "../errors.ts";
import type { Graph, Node, ParameterNode, StateNode } from "../graph.ts";
import { copyParts } from "./layout.ts";
import { assignLevels } from "./levels.ts";
import { lower } from "./lower.ts";
import { assignPlaces } from "./place.ts";
import { separateAddends, type Backward } from "./stack.ts";
import { joinSums } from "./sums.ts";
import { collect, type Wanted } from "./value.ts";

export interface CompileOptions {
  readonly name: string;
  /** What the program leaves in output buffers. */
  readonly outputs: ReadonlyMap<string, Node>;
  /** With `backward`: parameter → its gradient; left in output buffers that are shaped like the parameters' storages. */
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
  { name, outputs, gradients, states, target, backward, check }: CompileOptions,
): Program {
  const wanted: readonly Wanted[] = [
    ...[...outputs].map(([key, node]) => ({ name: key, node })),
    ...(backward?.wanted(gradients) ?? []),
  ];
  for (const state of states)
    if (!graph.next.has(state)) fail("INTERNAL", `state ${state.name} is never carried`);
  const values = collect(wanted, states, graph.next);
  assignPlaces(values, backward);
  joinSums(values, target.projection);
  separateAddends(values);
  copyParts(values);
  assignLevels(values);
  let program = lower(name, values, wanted.map((w) => w.name), backward); // prettier-ignore
  program = target.limits.maps?.split(program) ?? program;
  check?.(program, target);
  if (!backward) return program;
  program = backward.share(program);
  check?.(program, target);
  return program;
}
