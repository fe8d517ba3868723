/**
 * Ragged batches: a masked step keeps the state, the reverse direction starts at each row's own end, outputs past the end are
 * 0, and a row without steps returns its initial state. What lies past a row's end may be anything, NaN too.
 */
import { evaluate, finalState, type EndToEnd, type Node } from "@recurra/core/internal";
import type { Draw } from "../draw.ts";
import { expectationOf, float64, judgeSteps, judgeWhole, sizeOfWhole } from "../judge.ts";
import { forCases, type Setting, type Statement, type Tally } from "../law.ts";
import { differentiates, givenFor, Runner, taskOf, wantedOf, type Given } from "../program.ts";
import { cells, networks, type Subject } from "../subject.ts";
import { describeShapes, shapesFor } from "./cells.ts";

const tried = ["lstm", "gru", "minLstm", "slstm", "lstmLayerNorm"];
const subjects = [
  ...cells.filter((s) => tried.includes(s.name)),
  ...networks.filter((s) => !s.name.includes("merged")),
];

/** Some rows end early, one has no steps, and one has all. */
const lengthsFor = (draw: Draw, steps: number, batch: number): number[] =>
  draw.shuffled(
    Array.from({ length: batch }, (_, b) => (b === 0 ? steps : b === 1 ? 0 : draw.whole(0, steps))),
  );

/** Values past a row's end, replaced. */
function pad(
  data: Float32Array,
  width: number,
  batch: number,
  lengths: readonly number[],
  value: number,
): void {
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / width);
    if (Math.floor(row / batch) >= lengths[row % batch]!) data[i] = value;
  }
}

/** One row of a batch, up to its end. */
function rowOf(given: Given, task: ReturnType<typeof taskOf>, b: number, steps: number): Given {
  const { batch } = given;
  const nodes = new Map(
    task.graph.nodes.flatMap((n): [string, Node][] => (n.op === "input" ? [[n.name, n]] : [])),
  );
  const take = (data: Float32Array, width: number, rows: number): Float32Array =>
    Float32Array.from(
      { length: rows * width },
      (_, i) => data[(Math.floor(i / width) * batch + b) * width + (i % width)]!,
    );
  const inputs = Object.fromEntries(
    [...nodes].map(([name, node]) => {
      if (name === "last") return [name, Float32Array.of(steps - 1)];
      return [name, take(given.inputs[name]!, node.width, node.domain === "batch" ? 1 : steps)];
    }),
  );
  const states = Object.fromEntries(
    task.states.flatMap((s) =>
      given.states[s.name] ? [[s.name, take(given.states[s.name]!, s.width, 1)]] : [],
    ),
  );
  return { steps, batch: 1, parameters: given.parameters, inputs, states };
}

/**
 * The masked graph means what each row alone means: the oracle against itself, since sums come in another order where masks are between.
 * Constants that float32 doesn't hold, such as layer normalisation's ε, count as rounded, as on every device.
 */
function judgeMeaning(
  tally: Tally,
  setting: Setting,
  key: string,
  subject: Subject,
  widths: { I: number; H: number },
  masked: Given,
  lengths: readonly number[],
): void {
  const { steps, batch } = masked;
  const gradient = differentiates(tally);
  const all = taskOf(subject.network(widths), { masked: true, gradient });
  const one = taskOf(subject.network(widths), { gradient });
  const together = expectationOf(setting, float64, key, all, masked);
  if (!together) return tally.lost(sizeOfWhole(all, masked));
  const near = (got: number, { expected, tolerance }: EndToEnd, i: number, name: () => string): void =>
    tally.number(
      got,
      expected[i]!,
      tolerance * Math.max(1, Math.abs(expected[i]!)),
      () => `what the masks mean: ${name()}`,
    );
  const next = one.states.map((s) => one.graph.next.get(s)!);
  const sums = new Map<string, Float64Array>();
  for (let b = 0; b < batch; b++) {
    const alone = rowOf(masked, one, b, lengths[b]!);
    const found = evaluate(one.graph, [...wantedOf(one).values(), ...next], alone);
    for (const [name, node] of wantedOf(one)) {
      const { width } = node;
      const { data } = found.get(node)!;
      if (node.domain === "one") {
        const sum = sums.get(name) ?? new Float64Array(data.length);
        sums.set(
          name,
          sum.map((v, i) => v + data[i]!),
        );
      } else
        for (let i = 0; i < (node.domain === "batch" ? 1 : steps) * width; i++) {
          const [t, j] = [Math.floor(i / width), i % width];
          near(
            data[i] ?? 0,
            together.outputs.get(name)!,
            (t * batch + b) * width + j,
            () => `${name} at step ${t} of ${lengths[b]}, row ${b}, unit ${j}`,
          );
        }
    }
    for (const state of one.states)
      finalState(one.graph, state, found, alone).data.forEach((v, j) =>
        near(
          v,
          together.states.get(state.name)!,
          b * state.width + j,
          () => `state ${state.name}, row ${b} of length ${lengths[b]}, unit ${j}`,
        ),
      );
  }
  for (const [name, sum] of sums)
    sum.forEach((v, i) => near(v, together.outputs.get(name)!, i, () => `${name}, element ${i}`));
}

export const ragged: Statement = {
  name: "ragged batches",
  async body(tally, setting, backend) {
    for (const subject of subjects)
      await forCases(tally, setting, `ragged ${subject.name}`, 2, async (draw, size, context, index) => {
        if (size === "large" && subject.name !== "lstm" && !subject.name.includes("bidirectional LSTM"))
          return;
        const shapes = {
          ...shapesFor(draw, size),
          batch: draw.pick([3, 4, 5]),
          H: size === "small" ? 3 : 17,
        };
        const lengths = lengthsFor(draw, shapes.steps, shapes.batch);
        context(`${subject.name}, ${describeShapes(shapes)}, lengths ${lengths.join()}`);
        const task = taskOf(subject.network(shapes), {
          masked: true,
          gradient: differentiates(backend),
        });
        const given = givenFor(draw, subject, task, { ...shapes, lengths });
        const key = `ragged ${subject.name} ${size} ${index} ${setting.seed}`;
        judgeMeaning(tally, setting, key, subject, shapes, given, lengths);
        const past = backend.accuracy.nan ? NaN : 1e4;
        for (const node of task.graph.nodes)
          if (
            node.op === "input" &&
            node.domain === "sequence" &&
            node.name !== "mask" &&
            subject.ids === undefined
          )
            pad(given.inputs[node.name]!, node.width, shapes.batch, lengths, past);
        judgeSteps(tally, task, given, await new Runner(backend, task, { history: true }).run(given));
        const expected = expectationOf(setting, tally.accuracy, key, task, given);
        if (!expected) return tally.lost(sizeOfWhole(task, given));
        judgeWhole(tally, task, given, await new Runner(backend, task).run(given), expected);
      });
  },
};
