/** Going on from a checkpoint: what of the run before counts, and what doesn't fit it. That it comes to the same bits is in fitting.test.ts. */
import { openCpu } from "@recurra/backend-cpu";
import { createModel, dense, lstm, recurrent, stack, type Model } from "@recurra/core";
import { describe, expect, it } from "vitest";
import type { Snapshot } from "../src/checkpoint/checkpoint.ts";
import {
  batches,
  fit,
  meanSquared,
  sgd,
  type Data,
  type DataBatch,
  type EpochEvent,
  type FitEvent,
  type FitOptions,
  type Metric,
} from "../src/index.ts";
import { numbers } from "./support/backends.ts";
import { inMemory } from "./support/in-memory.ts";
import { refuses } from "./support/refuses.ts";

const open = () =>
  createModel(
    stack(recurrent(lstm, { inputSize: 2, hiddenSize: 3 }), dense({ inputSize: 3, outputSize: 4 })),
    openCpu(),
    { seed: 1 },
  );
const examples = Array.from({ length: 8 }, (_, i) => ({
  x: numbers(i)(3, 2),
  target: numbers(i + 9)(3, 4),
}));
const data = batches(examples, { batchSize: 2 });

async function run(model: Model, from: Data, options: Partial<FitOptions> = {}): Promise<FitEvent[]> {
  const how = { loss: meanSquared(), optimizer: sgd({ learningRate: 0.1 }), epochs: 2, ...options };
  const events = [];
  for await (const event of fit(model, from, how)) events.push(event);
  return events;
}
/** What is saved after every batch. */
async function saves(options: Partial<FitOptions> = {}): Promise<Snapshot[]> {
  const checkpoint = inMemory(1);
  await run(open(), data, { ...options, checkpoint });
  return checkpoint.saves;
}
const from = (snapshot: Snapshot | undefined) => inMemory(undefined, snapshot ? [snapshot] : []);

describe("a run that goes on refuses, before a parameter changes,", () => {
  const all = [...(data.batches(0) as Iterable<DataBatch>)];
  it.each<[string, number, Data, RegExp]>([
    ["data of smaller batches", 1, batches(examples, { batchSize: 1 }), /^checkpoint: expected data of 4 batches an epoch, got 8/],
    ["data of larger batches", 1, batches(examples, { batchSize: 4 }), /^checkpoint: expected data of 4 batches an epoch, got 2/],
    ["data that has fewer batches than were learned from", 2, { batches: (_, first = 0) => all.slice(0, 2).slice(first), size: 2 }, /got 2/],
  ])("%s", async (_, i, other, says) => {
    const [model, given] = [open(), (await saves())[i]];
    const before = model.parameters();
    await refuses(() => run(model, other, { checkpoint: from(given) }), "INVALID_ARGUMENT", says);
    expect(model.parameters()).toEqual(before);
  }); // prettier-ignore

  it("nothing of a checkpoint that doesn't say how many batches there were", async () => {
    const { metadata, tensors } = (await saves())[1] as Snapshot;
    const { size, ...rest } = JSON.parse(metadata.run as string) as { size: number };
    expect(size).toBe(4);
    const older = { tensors, metadata: { ...metadata, run: JSON.stringify(rest) } };
    const model = open();
    await run(model, data, { checkpoint: from(older) });
    const whole = open();
    await run(whole, data);
    expect(model.parameters()).toEqual(whole.parameters());
  });
});

describe("an epoch ends where the data said it would", () => {
  const all = [...(data.batches(0) as Iterable<DataBatch>)];
  it("rather than later, as where data leaves nothing out at the start", async () => {
    const given = (await saves())[1];
    const more: Data = { size: 4, batches: () => all };
    await refuses(() => run(open(), more, { checkpoint: from(given) }), "INVALID_ARGUMENT", /^batch 4 of epoch 0: expected an end after 4 batches \(the data's size\), got another/);
  }); // prettier-ignore
  it("rather than sooner", () =>
    refuses(() => run(open(), { size: 4, batches: () => all.slice(1) }), "INVALID_ARGUMENT", /^batch 3 of epoch 0: expected one of 4 \(the data's size\), got none/)); // prettier-ignore
});

describe("a run that goes on without validation data", () => {
  it("ends with its last parameters, and no best", async () => {
    const validation = batches(examples.slice(0, 2), { batchSize: 2 });
    const given = (await saves({ epochs: 1, validation })).at(-1);
    const [model, whole] = [open(), open()];
    const events = await run(model, data, { epochs: 3, checkpoint: from(given) });
    await run(whole, data, { epochs: 3 });
    expect(model.parameters()).toEqual(whole.parameters());
    expect(events.at(-1)).toMatchObject({ type: "end", best: undefined });
  });
});

describe("patience", () => {
  // What is validated on is far on the other side: it gets worse from the first epoch on.
  const times = (factor: number) =>
    examples.map(({ x, target }) => ({ x, target: { ...target, data: target.data.map((v) => factor * v) } }));
  const [far, validation] = [batches(times(10), { batchSize: 2 }), batches(times(-10), { batchSize: 8 })];
  const endOf = async (model: Model, options: Partial<FitOptions>) =>
    (await run(model, far, { epochs: 30, validation, ...options })).at(-1);

  it("that is longer than last time lets a run go on, to the same bits", async () => {
    const checkpoint = inMemory();
    const [model, whole] = [open(), open()];
    expect(await endOf(open(), { patience: 1, checkpoint })).toMatchObject({ reason: "patience", epochs: 2 });
    const end = await endOf(model, { patience: 4, checkpoint });
    expect(end).toMatchObject({ reason: "patience", epochs: 5 });
    expect(await endOf(whole, { patience: 4 })).toEqual(end);
    expect(model.parameters()).toEqual(whole.parameters());
  });
  it("counts epochs with validation data alone", async () => {
    const checkpoint = inMemory();
    await run(open(), far, { epochs: 3, checkpoint });
    const end = await endOf(open(), { epochs: 9, patience: 2, checkpoint });
    expect(end).toMatchObject({ reason: "patience", epochs: 6, best: { epoch: 3 } });
  });
});

describe("metrics of an epoch that goes on", () => {
  it.each([NaN, Infinity, -Infinity])("are the same: a first sum of %d", async (first) => {
    const metric = (name: string): Metric => ({
      name,
      of: (_, { target }) => ({ sum: target.data[0] === examples[0]?.target.data[0] ? first : 1, weight: 1 }),
    });
    const options = { epochs: 1, metrics: [metric("a"), metric("constructor"), metric("__proto__")] };
    const checkpoint = inMemory(1);
    const whole = (await run(open(), data, { ...options, checkpoint })).at(-2) as EpochEvent;
    const goingOn = { ...options, checkpoint: from(checkpoint.saves[1]) };
    expect((await run(open(), data, goingOn)).at(-2)).toEqual(whole);
    expect(Object.entries(whole.metrics)).toEqual(
      ["a", "constructor", "__proto__"].map((name) => [name, first]),
    );
  });
});

it("what can't be taken up again isn't saved: parameters that aren't finite", async () => {
  const checkpoint = inMemory(1);
  const [x, target] = [numbers(1)(3, 2, 2), { shape: [3, 2, 4], data: new Float32Array(24).fill(100) }];
  const steep: Data = {
    size: 4,
    batches: (_, first = 0) => Array.from({ length: 4 - first }, () => ({ x, target })),
  };
  const schedule = (step: number) => (step === 1 ? 3e38 : 0.1);
  await refuses(
    () => run(open(), steep, { checkpoint, schedule }),
    "NON_FINITE",
    /^checkpoint: expected finite parameters, got -?(Infinity|NaN) in \S+ after step 2; .* the one before stays/,
  );
  expect(checkpoint.saves.length).toBe(1);
  expect((await run(open(), steep, { checkpoint })).at(-1)).toMatchObject({ type: "end", step: 8 });
});
