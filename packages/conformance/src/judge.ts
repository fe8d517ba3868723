/** A run judged by the oracle: every step alone, and the sequence as a whole. */
import {
  bounded,
  endToEnd,
  evaluate,
  finalState,
  type Accuracy,
  type EndToEnd,
  type Node,
  type StateNode,
  type Value,
} from "@recurra/core/internal";
import type { Setting, Tally } from "./law.ts";
import { rowsOfNode, wantedOf, type Given, type Results, type Task } from "./program.ts";

/** Names an element of a result with a row for each step and sequence. */
export const place =
  (name: string, node: Node, batch: number) =>
  (i: number): string => {
    const [row, unit] = [Math.floor(i / node.width), i % node.width];
    if (node.domain === "sequence")
      return `${name} at step ${Math.floor(row / batch)}, row ${row % batch}, unit ${unit}`;
    return `${name}, row ${row}, unit ${unit}`;
  };

/** Rows of a value; one that is the same for all rows is repeated. */
function rowsOf(
  { data, error, rows, width }: Value,
  from: number,
  count: number,
): { data: Float64Array; error: Float64Array } {
  const take = (all: Float64Array | undefined): Float64Array =>
    Float64Array.from(
      { length: count * width },
      (_, i) => all?.[rows === 1 ? i % width : from * width + i] ?? 0,
    );
  return { data: take(data), error: take(error) };
}

/**
 * One step: the oracle starts every step, forward and adjoint, from the backend's own states, so that the bounds are those of
 * one step and nothing accumulates.
 */
export function judgeSteps(tally: Tally, task: Task, given: Given, results: Results): void {
  const { graph, states } = task;
  const { steps, batch } = given;
  const wanted = wantedOf(task);
  const next = new Map(states.map((s) => [s, graph.next.get(s)!]));
  const found = evaluate(
    graph,
    [...wanted.values(), ...next.values()],
    { ...given, pinned: results.before },
    bounded(tally.accuracy),
  );
  for (const [name, node] of wanted) {
    const value = found.get(node)!;
    tally.within(
      results.outputs[name]!,
      rowsOf(value, 0, results.outputs[name]!.length / node.width),
      place(name, node, batch),
    );
  }
  for (const state of states) {
    const value = found.get(next.get(state)!)!;
    const { name, width } = state;
    const before = (t: number): Float32Array =>
      results.before[name]!.subarray(t * batch * width, (t + 1) * batch * width);
    const after = (t: number): Float32Array => {
      const following = state.loop.reverse ? t - 1 : t + 1;
      return following < 0 || following >= steps ? results.states[name]! : before(following);
    };
    const at =
      (t: number) =>
      (i: number): string =>
        `state ${name} after step ${t}, row ${Math.floor(i / width)}, unit ${i % width}`;
    const first = state.loop.reverse ? steps - 1 : 0;
    const initial = given.states[name] ?? new Float32Array(batch * width).fill(state.initial);
    tally.same(
      steps === 0 ? results.states[name]! : before(first),
      initial,
      (i) => `the initial ${at(first)(i)}`,
    );
    for (let t = 0; t < steps; t++) tally.within(after(t), rowsOf(value, t * batch, batch), at(t));
  }
}

/** What the oracle itself computes in; a function of the engine is within a unit in the last place. */
export const float64: Accuracy = {
  unit: 2 ** -52,
  accumulate: 2 ** -53,
  functions: {},
  nan: true,
  subnormals: true,
  batchExact: true,
};

/** What a whole run should give: values by name, and how far each may be off. */
export interface Expectation {
  readonly outputs: ReadonlyMap<string, EndToEnd>;
  readonly states: ReadonlyMap<string, EndToEnd>;
}

/** End to end. Undefined where a comparison is too close to call. Kept in the setting's memo under `key`. */
export function expectationOf(
  setting: Setting,
  accuracy: Accuracy,
  key: string,
  task: Task,
  given: Given,
): Expectation | undefined {
  const known = `${key} ${JSON.stringify(accuracy)}`;
  if (!setting.memo.has(known)) setting.memo.set(known, expect(accuracy, task, given, setting.seed));
  return setting.memo.get(known) as Expectation | undefined;
}

function expect(accuracy: Accuracy, task: Task, given: Given, seed: number): Expectation | undefined {
  const { graph, states } = task;
  const wanted = wantedOf(task);
  const nodes = [...wanted.values(), ...states.map((s) => graph.next.get(s)!)];
  const found = endToEnd(graph, nodes, given, accuracy, seed);
  if (!found) return undefined;
  const final = (state: StateNode): EndToEnd => {
    const { expected, tolerance } = found.get(graph.next.get(state)!)!;
    const next = graph.next.get(state)!;
    const rows = next.domain === "one" ? 1 : given.steps * given.batch;
    const values = new Map([[next, { rows, width: next.width, data: expected }]]);
    return { expected: finalState(graph, state, values, given).data, tolerance };
  };
  return {
    outputs: new Map([...wanted].map(([name, node]) => [name, found.get(node)!])),
    states: new Map(states.map((s) => [s.name, final(s)])),
  };
}

export function judgeWhole(
  tally: Tally,
  task: Task,
  given: Given,
  results: Results,
  expected: Expectation,
): void {
  const bounds = ({ expected: data, tolerance }: EndToEnd) => ({
    data,
    error: data.map((v) => tolerance * Math.max(1, Number.isFinite(v) ? Math.abs(v) : 1)),
  });
  for (const [name, node] of wantedOf(task))
    tally.within(results.outputs[name]!, bounds(expected.outputs.get(name)!), place(name, node, given.batch));
  for (const { name, width } of task.states)
    tally.within(
      results.states[name]!,
      bounds(expected.states.get(name)!),
      (i) => `final state ${name}, row ${Math.floor(i / width)}, unit ${i % width}`,
    );
}

/** How many numbers `judgeWhole` compares. */
export function sizeOfWhole(task: Task, { steps, batch }: Given): number {
  const sizes = [...wantedOf(task).values()].map((node) => rowsOfNode(node, steps, batch) * node.width);
  return [...sizes, ...task.states.map((s) => batch * s.width)].reduce((sum, size) => sum + size, 0);
}
