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
  type FitEvent,
  type FitOptions,
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
