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

const found = findPython("torch");

describe.skipIf(!found)(
  found ? "PyTorch beside it" : "python3 has no torch here: the side-by-side with PyTorch was left out",
  () => {
    const engines = [recurra(openCpu()), torch(found?.path ?? "", openCpu())] as const;
    afterAll(() => engines.forEach((engine) => engine.dispose()));

    /** Losses of float32 after steps of Adam at this rate: far below what another model would give. */
    const TOLERANCE = 1e-5;

    async function both(experiment: Experiment) {
      const [own, peer] = await Promise.all(engines.map((engine) => engine.open(experiment)));
      const found = [await losses(own!, experiment), await losses(peer!, experiment)] as const;
      const state = [await own!.state(), await peer!.state()] as const;
      own!.dispose();
      peer!.dispose();
      return { losses: found, state };
    }

    test.each(["lstm", "gru"] as const)("%s: the losses of the same batches are the same", async (cell) => {
      const { losses, state } = await both(adding(cell, 8));
      expect(losses[1]).toHaveLength(8);
      losses[0].forEach((loss, k) => expect(Math.abs(loss - losses[1][k]!)).toBeLessThan(TOLERANCE));
      expect(Object.keys(state[1].parameters).sort()).toEqual(Object.keys(state[0].parameters).sort());
    });

    test("ids, a loss at every step, and rows of other lengths", async () => {
      const batch: Batch = {
        x: { shape: [4, 2], data: Int32Array.of(0, 1, 2, 3, 4, 0, 1, 2) },
        target: { shape: [4, 2], data: Int32Array.of(1, 2, 3, 4, 0, 0, 2, 0) },
        lengths: [4, 2],
      };
      const { losses } = await both({
        net: { input: { vocabulary: 5, size: 3 }, cell: "gru", hidden: 4, outputs: 5, last: false },
        seed: 3,
        loss: "crossEntropy",
        learningRate: 1e-2,
        clip: 0.1,
        data: { size: 5, batches: () => Array.from({ length: 5 }, () => batch) },
        epochs: 1,
      });
      losses[0].forEach((loss, k) => expect(Math.abs(loss - losses[1][k]!)).toBeLessThan(TOLERANCE));
    });
  },
);
