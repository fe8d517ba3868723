/**
 * Bit for bit, on one backend: a row gives the same at any batch size, beside any neighbours, permuted, cut in time with its
 * state carried, and streamed.
 */
import { createModel } from "@recurra/core";
import type { Draw } from "../draw.ts";
import { forCases, type Statement, type Tally } from "../law.ts";
import { givenFor, Runner, taskOf, type Given, type Results, type Task } from "../program.ts";
import { awkward, cells, networks, type Subject } from "../subject.ts";
import { drawRecipe } from "../random-cell.ts";
import { describeShapes, shapesFor } from "./cells.ts";
import { subjectOf } from "./random-cells.ts";

const names = ["lstm", "gru", "slstm", "lstmLayerNorm", "minGru"];
const subjectsFor = (draw: Draw): readonly Subject[] => [
  ...cells.filter((s) => names.includes(s.name)),
  ...networks.filter((s) => /three GRUs|bidirectional LSTM/.test(s.name)),
  ...awkward,
  subjectOf(drawRecipe(draw)),
];

/** Some rows of a tensor with a row for each step and sequence, or for each sequence. */
function takeRows(data: Float32Array, batch: number, width: number, rows: readonly number[]): Float32Array {
  const groups = batch === 0 ? 0 : data.length / (batch * width);
  return Float32Array.from({ length: groups * rows.length * width }, (_, i) => {
    const [group, rest] = [Math.floor(i / (rows.length * width)), i % (rows.length * width)];
    return data[(group * batch + rows[Math.floor(rest / width)]!) * width + (rest % width)]!;
  });
}

const takeSteps = (data: Float32Array, row: number, from: number, to: number): Float32Array =>
  data.slice(from * row, to * row);

/** The same call for other rows. */
function withRows({ task, given }: Run, rows: readonly number[]): Given {
  const { batch } = given;
  const inputs = Object.fromEntries(
    [...task.graph.inputs.values()].map((node) => [
      node.name,
      takeRows(given.inputs[node.name]!, batch, node.width, rows),
    ]),
  );
  const states = Object.fromEntries(
    task.states.flatMap((s) =>
      given.states[s.name] ? [[s.name, takeRows(given.states[s.name]!, batch, s.width, rows)]] : [],
    ),
  );
  return { ...given, batch: rows.length, inputs, states };
}

interface Run {
  readonly task: Task;
  readonly given: Given;
}

function sameRows(
  tally: Tally,
  { task, given }: Run,
  whole: Results,
  part: Results,
  rows: readonly number[],
  how: string,
): void {
  for (const [name, node] of task.outputs)
    tally.same(
      part.outputs[name]!,
      takeRows(whole.outputs[name]!, given.batch, node.width, rows),
      (i) => `${how}: element ${i} of ${name}`,
    );
  for (const { name, width } of task.states)
    tally.same(
      part.states[name]!,
      takeRows(whole.states[name]!, given.batch, width, rows),
      (i) => `${how}: element ${i} of final state ${name}`,
    );
}

export const rows: Statement = {
  name: "bit for bit: rows",
  async body(tally, setting, backend) {
    if (!backend.accuracy.batchExact)
      return tally.skip("a row's bits may depend on its batch (accuracy.batchExact)");
    await forCases(tally, setting, "rows", 2, async (draw, size, context) => {
      for (const subject of subjectsFor(draw)) {
        const shapes = {
          ...shapesFor(draw, size),
          batch: size === "small" ? draw.pick([3, 5, 8]) : draw.pick([17, 33]),
        };
        if (size === "large") Object.assign(shapes, { steps: 4, H: 17 });
        context(`${subject.name}, ${describeShapes(shapes)}`);
        const task = taskOf(subject.network(shapes), {});
        const run = { task, given: givenFor(draw, subject, task, shapes) };
        const runner = new Runner(backend, task);
        const whole = await runner.run(run.given);
        const all = Array.from({ length: shapes.batch }, (_, b) => b);
        const choices = {
          alone: [draw.pick(all)],
          "two together": draw.shuffled(all).slice(0, 2),
          permuted: draw.shuffled(all),
          "some twice": all.map(() => draw.pick(all)),
        };
        for (const [how, chosen] of Object.entries(choices))
          sameRows(tally, run, whole, await runner.run(withRows(run, chosen)), chosen, how);
        // Beside other neighbours: one row stays what it was.
        const other = givenFor(draw, subject, task, shapes);
        const kept = draw.pick(all);
        const mixed = mix(run, { ...other, parameters: run.given.parameters }, kept);
        const beside = await runner.run(mixed);
        const one = (results: Results): Results => pickRows(task, results, shapes.batch, [kept]);
        sameRows(
          tally,
          { task, given: { ...run.given, batch: 1 } },
          one(whole),
          one(beside),
          [0],
          "beside other rows",
        );
      }
    });
  },
};

/** `other`, but with a row of the run's. */
function mix({ task, given }: Run, other: Given, kept: number): Given {
  const put = (into: Float32Array, from: Float32Array, width: number): Float32Array =>
    into.map((v, i) => (Math.floor(i / width) % given.batch === kept ? from[i]! : v));
  const inputs = Object.fromEntries(
    [...task.graph.inputs.values()].map((n) => [
      n.name,
      put(other.inputs[n.name]!, given.inputs[n.name]!, n.width),
    ]),
  );
  const states = Object.fromEntries(
    task.states.map((s) => [s.name, put(other.states[s.name]!, given.states[s.name]!, s.width)]),
  );
  return { ...other, inputs, states };
}

function pickRows(
  task: Task,
  { outputs, states, before }: Results,
  batch: number,
  chosen: readonly number[],
): Results {
  return {
    before,
    outputs: Object.fromEntries(
      [...task.outputs].map(([name, node]) => [name, takeRows(outputs[name]!, batch, node.width, chosen)]),
    ),
    states: Object.fromEntries(
      task.states.map((s) => [s.name, takeRows(states[s.name]!, batch, s.width, chosen)]),
    ),
  };
}

export const time: Statement = {
  name: "bit for bit: time",
  async body(tally, setting, backend) {
    await forCases(tally, setting, "time", 2, async (draw, size, context) => {
      const forward = subjectsFor(draw).filter(
        (s) => !taskOf(s.network({ I: 1, H: 2 }), {}).graph.loops.some((l) => l.reverse),
      );
      for (const subject of forward) {
        const drawn = shapesFor(draw, size);
        const shapes = { ...drawn, steps: Math.max(2, drawn.steps) };
        context(`${subject.name}, ${describeShapes(shapes)}`);
        const network = subject.network(shapes);
        const task = taskOf(network, {});
        const given = givenFor(draw, subject, task, shapes);
        const runner = new Runner(backend, task);
        const whole = await runner.run(given);
        await cut(tally, draw, runner, { task, given }, whole);
        if (backend.accuracy.batchExact) await stream(tally, backend, { task, given }, whole);
      }
    });
  },
};

const join = (parts: readonly Float32Array[]): Float32Array =>
  Float32Array.from(parts.flatMap((p) => [...p]));

/** In pieces, the state staying where it is between them. */
async function cut(
  tally: Tally,
  draw: Draw,
  runner: Runner,
  { task, given }: Run,
  whole: Results,
): Promise<void> {
  const { steps, batch } = given;
  const at = draw.whole(1, steps - 1);
  const bound = runner.bind(steps, batch, given.parameters);
  try {
    const parts: Results[] = [];
    for (const [from, to] of [
      [0, at],
      [at, steps],
    ] as const) {
      const inputs = Object.fromEntries(
        [...task.graph.inputs.values()].map((n) => [
          n.name,
          takeSteps(given.inputs[n.name]!, batch * n.width, from, to),
        ]),
      );
      bound.write({ ...given, steps: to - from, inputs }, from > 0);
      parts.push(await bound.run(to - from));
    }
    for (const name of task.outputs.keys())
      tally.same(
        join(parts.map((p) => p.outputs[name]!)),
        whole.outputs[name]!,
        (i) => `cut after step ${at}: element ${i} of ${name}`,
      );
    for (const { name } of task.states)
      tally.same(
        parts[1]!.states[name]!,
        whole.states[name]!,
        (i) => `cut after step ${at}: element ${i} of final state ${name}`,
      );
  } finally {
    bound.dispose();
  }
}

/** One frame at a time, through a model's stream. */
async function stream(
  tally: Tally,
  backend: Parameters<typeof createModel>[1],
  { task, given }: Run,
  whole: Results,
): Promise<void> {
  const { graph } = task;
  const tensor = (data: Float32Array, shape: readonly number[]) => ({ shape: [...shape], data });
  const parameters = Object.fromEntries(
    [...graph.parameters].map(([name, p]) => [name, tensor(given.parameters[name]!, p.shape)]),
  );
  const network = {
    inputs: Object.fromEntries([...graph.inputs].map(([name, n]) => [name, n.width])),
    build: () => graph,
  };
  const model = createModel(network, backend, { parameters });
  try {
    const frames = model.stream({ batch: given.batch });
    frames.restore(
      Object.fromEntries(
        task.states.map((s) => [s.name, tensor(given.states[s.name]!, [given.batch, s.width])]),
      ),
    );
    for (let t = 0; t < given.steps; t++) {
      const frame = Object.fromEntries(
        [...graph.inputs.values()].map((n) => [
          n.name,
          takeSteps(given.inputs[n.name]!, given.batch * n.width, t, t + 1),
        ]),
      );
      const result = await frames.step(frame);
      for (const [name, node] of task.outputs) {
        const got = result instanceof Float32Array ? result : result[name]!;
        const row = given.batch * node.width;
        tally.same(
          got,
          takeSteps(whole.outputs[name]!, row, t, t + 1),
          (i) => `streamed: element ${i} of ${name} at step ${t}`,
        );
      }
    }
    for (const [name, { data }] of Object.entries(await frames.save()))
      tally.same(data, whole.states[name]!, (i) => `streamed: element ${i} of final state ${name}`);
  } finally {
    model.dispose();
  }
}
