/** The adjoint against finite differences of the oracle, in float64: with respect to parameters, inputs and initial states. */
import { evaluate, finalState, type Node, type Value } from "@recurra/core/internal";
import type { Draw } from "../draw.ts";
import { forCases, type Statement, type Tally } from "../law.ts";
import { givenFor, taskOf, type Given, type Task } from "../program.ts";
import { drawRecipe } from "../random-cell.ts";
import { awkward, cells, networks, type Subject } from "../subject.ts";
import { drawWiring, subjectOf } from "./random-cells.ts";

/** At twice this step the third and fifth derivatives still rule the truncation error; at half of it rounding doesn't. */
const h = 2 ** -9;
/** A comparison that couldn't see a relative error of this size says nothing: the direction crosses a kink, or nearly a pole. */
const resolution = 1e-6;

type Place = readonly ["parameters" | "inputs" | "states", string];

/** Σ seed · output + Σ seed · final state: the loss whose gradient the adjoint is; and the sum of its terms' magnitudes. */
function loss({ graph }: Task, given: Given): { value: number; magnitude: number } {
  const next = [...graph.states.values()].map((s) => graph.next.get(s)!);
  const found = evaluate(graph, [...graph.outputs.values(), ...next], given);
  let [value, magnitude] = [0, 0];
  const add = (values: Float64Array, seeds: ArrayLike<number>): void =>
    values.forEach((v, i) => {
      value += v * seeds[i]!;
      magnitude += Math.abs(v * seeds[i]!);
    });
  for (const [name, node] of graph.outputs) add(found.get(node)!.data, given.inputs[`d.${name}`]!);
  for (const [name, state] of graph.states)
    add(finalState(graph, state, found, given).data, given.states[`d.${name}`]!);
  return { value, magnitude };
}

/**
 * The derivative along a direction, by central differences and Richardson's extrapolation, twice; and how far it may be off.
 * Truncation: a first extrapolation is off by −h⁴/30 · f⁽⁵⁾, one of half the steps by a sixteenth of that, and the second takes that
 * away too. So their difference, 15/16 of the larger error, is far more than what is left; beside a kink it is large as well.
 * Rounding: the narrowest loss counts most, 64/45 times over a step of h/2, in all less than 4/h times the error of one loss.
 * Of that each operation makes half a unit in the last place of the loss's terms, at every step; being random, their squares add.
 */
function difference(
  task: Task,
  given: Given,
  [kind, name]: Place,
  direction: Float64Array,
): { derivative: number; error: number } {
  let magnitude = 0;
  const moved = (by: number): number => {
    const from = given[kind][name]!;
    const values = Float64Array.from(from, (v, i) => v + by * direction[i]!) as unknown as Float32Array;
    const found = loss(task, { ...given, [kind]: { ...given[kind], [name]: values } });
    magnitude = Math.max(magnitude, found.magnitude);
    return found.value;
  };
  const central = (step: number): number => (moved(step) - moved(-step)) / (2 * step);
  const [wide, middle, narrow] = [central(2 * h), central(h), central(h / 2)];
  const [coarse, fine] = [(4 * middle - wide) / 3, (4 * narrow - middle) / 3];
  const roundings = Math.sqrt(task.graph.nodes.length * given.steps);
  return {
    derivative: fine + (fine - coarse) / 15,
    error: Math.abs(coarse - fine) + (4 / h) * roundings * 2 ** -53 * magnitude,
  };
}

function judge(tally: Tally, draw: Draw, subject: Subject, context: (shapes: string) => void): void {
  const [steps, batch, I, H] = [draw.whole(1, 4), draw.whole(1, 3), draw.whole(1, 3), draw.whole(2, 4)];
  context(`${subject.name}, T ${steps}, B ${batch}, I ${I}, H ${H}`);
  const task = taskOf(subject.network({ I, H }), { gradient: true });
  const given = givenFor(draw, subject, task, { steps, batch });
  const { graph } = task;
  const carried = task.states.filter((s) => !graph.states.has(s.name));
  const wanted = [
    ...task.gradients.values(),
    ...task.outputs.values(),
    ...carried.map((s) => graph.next.get(s)!),
  ];
  const found = evaluate(graph, wanted, given);

  const gradients: (readonly [Place, Float64Array])[] = [];
  const add = (place: Place, value: Value | undefined): void =>
    void (value && gradients.push([place, value.data]));
  for (const [p, node] of task.gradients) add(["parameters", p.name], found.get(node));
  for (const name of graph.inputs.keys())
    add(["inputs", name], found.get(task.outputs.get(`d.input ${name}`) as Node));
  for (const s of carried) add(["states", s.name.slice(2)], finalState(graph, s, found, given));

  for (const [place, gradient] of gradients) {
    let done = 0;
    for (let tries = 0; tries < 6 && done < 2; tries++) {
      const raw = draw.floats(gradient.length);
      const norm = Math.hypot(...raw);
      const direction = Float64Array.from(raw, (v) => v / norm);
      const { derivative, error } = difference(task, given, place, direction);
      if (!(error <= resolution * Math.max(1, Math.abs(derivative)))) continue;
      const along = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0);
      tally.number(along, derivative, error, () => `the gradient of ${place[1]} along a direction`);
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
