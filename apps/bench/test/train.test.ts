// Training: what is expected, against our own trainer; and that what is wrong shows.
import { openCpu } from "@recurra/backend-cpu";
import { createModel } from "@recurra/core";
import { adam, createTrainer, crossEntropy, sgd } from "@recurra/train";
import { expect, test } from "vitest";
import { check, TRAIN_TOLERANCE } from "../src/check.ts";
import { LEARNING_RATE, makeData } from "../src/data.ts";
import { firstLosses } from "../src/first-losses.ts";
import { networkOf } from "../src/network.ts";
import { recurra } from "../src/systems/recurra.ts";
import { trainedLosses } from "../src/trained.ts";
import type { Workload } from "../src/workloads.ts";

const small = { T: 5, B: 4, I: 6, H: 16, output: 7, kinds: ["train"] } as const;
const workloads: Workload[] = [
  { name: "H", ...small, loss: "last" },
  { name: "I", ...small, loss: "all" },
];

test.each(workloads)("the first losses of $name are the oracle's", async (workload) => {
  const data = makeData(workload, "train");
  expect(data.classes.shape).toEqual(workload.loss === "last" ? [4] : [5, 4]);
  const { results, round } = await recurra(openCpu).prepare({
    workload,
    kind: "train",
    data,
    variant: undefined,
  });
  const values = { loss: trainedLosses(workload, data) };
  expect(check(results, values, { loss: TRAIN_TOLERANCE }, workload)).toMatchObject({ ok: true });
  expect((await round(0)).calls).toBe(1);
});

test.each([
  ["another optimizer", sgd({ learningRate: LEARNING_RATE })],
  ["another rate", adam({ learningRate: LEARNING_RATE * 1.5 })],
])("%s is wrong", async (_, optimizer) => {
  const workload = workloads[0]!;
  const data = makeData(workload, "train");
  const model = createModel(networkOf(workload), openCpu(), { parameters: data.parameters });
  const trainer = createTrainer(model, { loss: crossEntropy(), optimizer });
  const results = await firstLosses(
    async () => (await trainer.step({ x: data.x, target: data.classes })).loss,
  );
  const values = { loss: trainedLosses(workload, data) };
  expect(check(results, values, { loss: TRAIN_TOLERANCE }, workload)).toMatchObject({ ok: false });
});
