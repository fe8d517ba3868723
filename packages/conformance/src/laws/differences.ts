/** The adjoint against finite differences of the oracle, in float64: with respect to parameters, inputs and initial states. */
import {
  bounded,
  evaluate,
  finalState,
  type Arithmetic,
  type Node,
  type Value,
} from "@recurra/core/internal";
import type { Draw } from "../draw.ts";
import { float64 } from "../judge.ts";
import { forCases, type Statement, type Tally } from "../law.ts";
import { givenFor, taskOf, type Given, type Task } from "../program.ts";
import { drawRecipe } from "../random-cell.ts";
import { awkward, cells, networks, type Subject } from "../subject.ts";
import { drawWiring, subjectOf } from "./random-cells.ts";

/** At twice this step the third and fifth derivatives still rule the truncation error; at a quarter of it rounding doesn't. */
const h = 2 ** -9;
/** A comparison that couldn't see a relative error of this size says nothing: the direction crosses a kink, or nearly a pole. */
const resolution = 1e-6;

type Place = readonly ["parameters" | "inputs" | "states", string];

const bounds = bounded(float64);
/** Running error analysis of float64, in which constants are what they are, and not what float32 makes of them. */
const analysis: Arithmetic = {
  ...bounds,
  finish: (node, ...rows) => void (node.op !== "constant" && bounds.finish?.(node, ...rows)),
};

type Found = ReadonlyMap<Node, Value>;

/** Σ seed · output + Σ seed · final state: the loss whose gradient the adjoint is; and how far rounding may have moved it. */
function lossOf({ graph }: Task, given: Given, found: Found): { value: number; error: number } {
  let [value, error, magnitude, terms] = [0, 0, 0, 0];
  const add = (of: Value, seeds: ArrayLike<number>): void =>
    of.data.forEach((v, i) => {
      value += v * seeds[i]!;
      error += (of.error?.[i] ?? 0) * Math.abs(seeds[i]!);
      magnitude += Math.abs(v * seeds[i]!);
      terms++;
    });
  for (const [name, node] of graph.outputs) add(found.get(node)!, given.inputs[`d.${name}`]!);
  for (const [name, state] of graph.states)
    add(finalState(graph, state, found, given), given.states[`d.${name}`]!);
  return { value, error: error + (terms + 1) * float64.accumulate * magnitude };
}

const lossNodes = ({ graph }: Task): Node[] => [
  ...graph.outputs.values(),
  ...[...graph.states.values()].map((s) => graph.next.get(s)!),
];

/**
 * The derivative along a direction, by central differences and Richardson's extrapolation, twice; and how far truncation leaves it.
 * A first extrapolation is off by −h⁴/30 · f⁽⁵⁾, one of half the steps by a sixteenth of that, and the second takes that away too. So
 * their difference, 15/16 of the larger error, is far more than what is left; beside a kink it is large as well. Where a slope bends
 * between two of the steps the two may agree by chance, and are both off: of a third, of half the steps again, that shows.
 */
function difference(
  task: Task,
  given: Given,
  [kind, name]: Place,
  direction: Float64Array,
): { derivative: number; truncation: number } {
  const moved = (by: number): number => {
    const from = given[kind][name]!;
    const values = Float64Array.from(from, (v, i) => v + by * direction[i]!) as unknown as Float32Array;
    const there = { ...given, [kind]: { ...given[kind], [name]: values } };
    return lossOf(task, there, evaluate(task.graph, lossNodes(task), there)).value;
  };
  const central = (step: number): number => (moved(step) - moved(-step)) / (2 * step);
  const [widest, wide, narrow, narrowest] = [central(2 * h), central(h), central(h / 2), central(h / 4)];
  const extrapolated = (at: number, atHalf: number): number => (4 * atHalf - at) / 3;
  const [coarse, fine, finest] = [extrapolated(widest, wide), extrapolated(wide, narrow), extrapolated(narrow, narrowest)]; // prettier-ignore
  const truncation = Math.max(Math.abs(coarse - fine), Math.abs(fine - finest));
  return { derivative: fine + (fine - coarse) / 15, truncation };
}

function judge(tally: Tally, draw: Draw, subject: Subject, context: (shapes: string) => void): void {
  const [steps, batch, I, H] = [draw.whole(1, 4), draw.whole(1, 3), draw.whole(1, 3), draw.whole(2, 4)];
  context(`${subject.name}, T ${steps}, B ${batch}, I ${I}, H ${H}`);
  const task = taskOf(subject.network({ I, H }), { gradient: true });
  const given = givenFor(draw, subject, task, { steps, batch });
  const { graph } = task;
  const carried = task.states.filter((s) => !graph.states.has(s.name));
  const wanted = [
    ...lossNodes(task),
    ...task.gradients.values(),
    ...task.outputs.values(),
    ...carried.map((s) => graph.next.get(s)!),
  ];
  const found = evaluate(graph, wanted, given, analysis);
  // The narrowest loss counts most, 64/45 times over a step of h/2; in all less than 4/h times the error of one.
  const rounding = (4 / h) * lossOf(task, given, found).error;

  const gradients: (readonly [Place, Value])[] = [];
  const add = (place: Place, value: Value | undefined): void =>
    void (value && gradients.push([place, value]));
  for (const [p, node] of task.gradients) add(["parameters", p.name], found.get(node));
  for (const name of graph.inputs.keys())
    add(["inputs", name], found.get(task.outputs.get(`d.input ${name}`) as Node));
  for (const s of carried) add(["states", s.name.slice(2)], finalState(graph, s, found, given));

  for (const [place, { data, error: errors = [] }] of gradients) {
    let done = 0;
    for (let tries = 0; tries < 6 && done < 2; tries++) {
      const raw = draw.floats(data.length);
      const norm = Math.hypot(...raw);
      const direction = Float64Array.from(raw, (v) => v / norm);
      const along = (of: ArrayLike<number>, d = direction): number =>
        d.reduce((sum, v, i) => sum + v * (of[i] ?? 0), 0);
      const { derivative, truncation } = difference(task, given, place, direction);
      const error = truncation + rounding + along(errors, direction.map(Math.abs));
      if (!(error <= resolution * Math.max(1, Math.abs(derivative)))) continue;
      tally.number(along(data), derivative, error, () => `the gradient of ${place[1]} along a direction`);
      done++;
    }
    if (done === 0) tally.lost(1);
  }
}

export const differences: Statement = {
  name: "adjoint against finite differences",
  async body(tally, setting) {
    // The sizes are always small: what is tried is the adjoint's algebra, not a backend.
    const small = { ...setting, sizes: "small" } as const;
    for (const subject of [...cells, ...networks, ...awkward])
      await forCases(tally, small, `differences of ${subject.name}`, 2, async (draw, _, context) =>
        judge(tally, draw, subject, context),
      );
    await forCases(tally, small, "differences of random cells", 30, async (draw, _, context) => {
      judge(tally, draw, subjectOf(drawRecipe(draw), drawWiring(draw)), context);
    });
  },
};
