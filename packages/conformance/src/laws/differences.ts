/** The adjoint against finite differences of the oracle, in float64: with respect to parameters, inputs and initial states. */
import { evaluate, finalState, type Node, type Value } from "@recurra/core/internal";
import type { Draw } from "../draw.ts";
import { forCases, type Statement, type Tally } from "../law.ts";
import { givenFor, taskOf, type Given, type Task } from "../program.ts";
import { drawRecipe } from "../random-cell.ts";
import { awkward, cells, networks, type Subject } from "../subject.ts";
import { drawWiring, subjectOf } from "./random-cells.ts";

/** A step of this size leaves a truncation error of about h⁴/30 times a fifth derivative, and rounding of 1e-16/h. */
const h = 2 ** -9;
const tolerance = 2e-8;

type Place = readonly ["parameters" | "inputs" | "states", string];

/** Σ seed · output + Σ seed · final state: the loss whose gradient the adjoint is. */
function loss({ graph }: Task, given: Given): number {
  const next = [...graph.states.values()].map((s) => graph.next.get(s)!);
  const found = evaluate(graph, [...graph.outputs.values(), ...next], given);
  let sum = 0;
  const add = (values: Float64Array, seeds: ArrayLike<number>): void =>
    values.forEach((v, i) => (sum += v * seeds[i]!));
  for (const [name, node] of graph.outputs) add(found.get(node)!.data, given.inputs[`d.${name}`]!);
  for (const [name, state] of graph.states)
    add(finalState(graph, state, found, given).data, given.states[`d.${name}`]!);
  return sum;
}

/** The derivative along a direction, by central differences with Richardson's extrapolation; undefined beside a kink. */
function difference(
  task: Task,
  given: Given,
  [kind, name]: Place,
  direction: Float64Array,
): number | undefined {
  const moved = (by: number): number => {
    const from = given[kind][name]!;
    const values = Float64Array.from(from, (v, i) => v + by * direction[i]!) as unknown as Float32Array;
    return loss(task, { ...given, [kind]: { ...given[kind], [name]: values } });
  };
  const central = (step: number): number => (moved(step) - moved(-step)) / (2 * step);
  const [wide, middle, narrow] = [central(2 * h), central(h), central(h / 2)];
  const [coarse, fine] = [(4 * middle - wide) / 3, (4 * narrow - middle) / 3];
  return Math.abs(coarse - fine) <= 1e-6 * Math.max(1, Math.abs(fine))
    ? fine + (fine - coarse) / 15
    : undefined;
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

  for (const [place, gradient] of gradients)
    for (let tries = 0, done = 0; tries < 6 && done < 2; tries++) {
      const raw = draw.floats(gradient.length);
      const norm = Math.hypot(...raw);
      const direction = Float64Array.from(raw, (v) => v / norm);
      const expected = difference(task, given, place, direction);
      if (expected === undefined) continue;
      const along = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0);
      tally.number(
        along,
        expected,
        tolerance * Math.max(1, Math.abs(expected)),
        () => `the gradient of ${place[1]} along a direction`,
      );
      done++;
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
