// That a command's parts, put together, learn: it fails if training doesn't work.
import { openWasm } from "@recurra/backend-wasm";
import { openCpu } from "@recurra/backend-cpu";
import { type Batch, fitting, type Trainer, validate } from "@recurra/train";
import { afterAll, describe, expect, test } from "vitest";
import { findPython } from "../../../scripts/python.mjs";
import type { Experiment } from "../src/experiment.ts";
import { chrono } from "../src/initializers.ts";
import { recurra } from "../src/recurra.ts";
import { addingBatch, addingData } from "../src/tasks/adding.ts";
import { torch } from "../src/torch.ts";

const T = 10;

const adding = (cell: "lstm" | "gru", size: number): Experiment => ({
  net: { input: 2, cell, hidden: 16, outputs: 1, last: true, initializers: chrono(cell, T) },
  seed: 1,
  loss: "meanSquared",
  learningRate: 1e-2,
  clip: 1,
  data: addingData(T, 1, size),
  epochs: 1,
});

async function losses(trainer: Trainer, { data, epochs }: Experiment): Promise<number[]> {
  const found: number[] = [];
  for await (const event of fitting(trainer, data, { epochs }))
    if (event.type === "step") found.push(event.loss);
  return found;
}

test.each(["lstm", "gru"] as const)("%s learns to add at T = 10", async (cell) => {
  const engine = recurra(await openWasm());
  const experiment = adding(cell, 500);
  const trainer = await engine.open(experiment);
  const test = { size: 1, batches: () => [addingBatch(T, 500, 2)] };
  const before = (await validate(trainer, test)).loss;
  await losses(trainer, experiment);
  const { loss } = await validate(trainer, test);
  trainer.dispose();
  engine.dispose();
  expect(before).toBeGreaterThan(0.1);
  // Who always answers 1 has 1/6.
  expect(loss).toBeLessThan(0.02);
});

const batch: Batch = {
  x: { shape: [4, 2], data: Int32Array.of(0, 1, 2, 3, 4, 0, 1, 2) },
  target: { shape: [4, 2], data: Int32Array.of(1, 2, 3, 4, 0, 0, 2, 0) },
  lengths: [4, 2],
};

/** What PyTorch learns too. */
const compared: readonly (readonly [what: string, Experiment])[] = [
  ["an LSTM", adding("lstm", 8)],
  ["a GRU", adding("gru", 8)],
  [
    "ids, a loss at every step, and rows of other lengths",
    {
      net: { input: { vocabulary: 5, size: 3 }, cell: "gru", hidden: 4, outputs: 5, last: false },
      seed: 3,
      loss: "crossEntropy",
      learningRate: 1e-2,
      clip: 0.1,
      data: { size: 5, batches: () => Array.from({ length: 5 }, () => batch) },
      epochs: 1,
    },
  ],
];

/**
 * PyTorch declares no accuracy from which a bound would follow. Roundings alone leave these losses, all of them about 1, some units of
 * their last place apart (6e-8); a bound that is far above that, and below what a rate that is off by a thousandth does, tells another
 * computation from another rounding.
 */
const TOLERANCE = 1e-5;

const farthest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((loss, k) => Math.abs(loss - b[k]!)));

test.each(compared)("%s: a rate that is off by a thousandth shows", async (_, experiment) => {
  const engine = recurra(openCpu());
  const learned = async (learningRate: number): Promise<number[]> => {
    const trainer = await engine.open({ ...experiment, learningRate });
    const found = await losses(trainer, experiment);
    trainer.dispose();
    return found;
  };
  const { learningRate } = experiment;
  expect(farthest(await learned(learningRate), await learned(learningRate * 1.001))).toBeGreaterThan(
    TOLERANCE,
  );
  engine.dispose();
});

const found = findPython("torch");
// Reporters needn't show a skipped test's title.
if (!found) console.warn("skipped: python3 has no torch here, so nothing is held against PyTorch");

describe.skipIf(!found)("PyTorch beside it", () => {
  const engines = [recurra(openCpu()), torch(found?.path ?? "", openCpu())] as const;
  afterAll(() => engines.forEach((engine) => engine.dispose()));

  test.each(compared)("%s: the losses of the same batches are the same", async (_, experiment) => {
    const [own, peer] = await Promise.all(engines.map((engine) => engine.open(experiment)));
    const [ours, theirs] = [await losses(own!, experiment), await losses(peer!, experiment)];
    const names = async (trainer: Trainer) => Object.keys((await trainer.state()).parameters).sort();
    expect(theirs).toHaveLength(ours.length);
    expect(farthest(ours, theirs)).toBeLessThan(TOLERANCE);
    expect(await names(peer!)).toEqual(await names(own!));
    own!.dispose();
    peer!.dispose();
  });
});
