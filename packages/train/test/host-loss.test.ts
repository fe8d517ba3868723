import {
  createModel, dense, dropout, last, lstm, recurrent, stack, type Backend, type Layer, type Model,
} from "@recurra/core"; // prettier-ignore
import { openCpu } from "@recurra/backend-cpu";
import { openWasm } from "@recurra/backend-wasm";
import { describe, expect, it } from "vitest";
import { ctc } from "../src/ctc.ts";
import { batches } from "../src/data/batches.ts";
import type { LabelledExample } from "../src/data/data.ts";
import type { FitEvent } from "../src/events.ts";
import { fit } from "../src/fit.ts";
import { hostTrainer, type HostLoss } from "../src/host-loss.ts";
import { meanSquared } from "../src/losses/index.ts";
import { adam, sgd } from "../src/optimizers/index.ts";
import { derived } from "../src/random.ts";
import { createTrainer } from "../src/trainer.ts";
import { refuses } from "./support/refuses.ts";

/** The mean squared error, by hand; its gradient rounded where the device's is, so that both have the same bits. */
const byHand: HostLoss = {
  name: "byHand",
  onHost({ shape, data }, { target, lengths }) {
    const [width, batch] = [shape.at(-1) as number, shape.at(-2) as number];
    const counts = (i: number) =>
      !lengths || Math.floor(i / width / batch) < (lengths[Math.floor(i / width) % batch] as number);
    const weight = data.filter((_, i) => counts(i)).length;
    const error = data.map((y, i) => (counts(i) ? y - (target.data[i] as number) : 0));
    const share = Math.fround(2 / weight);
    return {
      loss: error.reduce((sum, e) => sum + e * e, 0) / weight,
      weight,
      gradient: { shape, data: error.map((e) => share * e) },
    };
  },
};

const network = (...more: Layer[]) =>
  stack(
    recurrent(lstm, { inputSize: 2, hiddenSize: 5, layers: 2, dropout: 0.3 }),
    dropout(0.5),
    dense({ inputSize: 5, outputSize: 2 }),
    ...more,
  );

/** Bursts of one of three kinds, in noise; what kinds they were is to be told, not when. */
const bursts = (count: number): LabelledExample[] =>
  Array.from({ length: count }, (_, i) => {
    const draw = derived(3, i);
    const labels = Array.from({ length: 1 + Math.floor(draw() * 3) }, () => 1 + Math.floor(draw() * 3));
    const frames = labels.flatMap((kind) => {
      const gap = Array<number>(1 + Math.floor(draw() * 3)).fill(0);
      return [...gap, ...Array<number>(1 + Math.floor(draw() * 3)).fill(kind)];
    });
    return {
      x: {
        shape: [frames.length, 4],
        data: Float32Array.from(
          frames.flatMap((kind) => [0, 1, 2, 3].map((k) => (k === kind ? 1 : 0) + 0.1 * draw())),
        ),
      },
      labels: { shape: [labels.length], data: Int32Array.from(labels) },
    };
  });

describe.each([
  ["cpu", () => openCpu()],
  ["wasm", () => openWasm()],
] as const)("a loss of the host on %s", (_, open) => {
  it.each([
    ["every step", network(), false, true],
    ["ragged rows", network(), true, true],
    ["the last step", network(last), true, false],
  ] as const)(
    "trains as the same loss of the device, with the same masks: %s",
    async (_name, net, ragged, perStep) => {
      const train = async (open: (model: Model) => ReturnType<typeof createTrainer>, backend: Backend) => {
        const model = createModel(net, backend, { seed: 2 });
        const trainer = open(model);
        const draw = derived(9);
        const losses = [];
        for (let i = 0; i < 6; i++) {
          const fill = (...shape: number[]) => ({
            shape,
            data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, draw),
          });
          const batch = {
            x: fill(5, 3, 2),
            target: perStep ? fill(5, 3, 2) : fill(3, 2),
            ...(ragged && { lengths: [5, 2, 4] }),
          };
          losses.push((await trainer.step(batch)).loss, (await trainer.evaluate(batch)).loss);
        }
        return { losses, parameters: (await trainer.state()).parameters };
      };
      const optimizer = sgd({ learningRate: 0.5, momentum: 0.9 });
      const device = await train(
        (model) => createTrainer(model, { loss: meanSquared(), optimizer, seed: 4 }),
        await open(),
      );
      const host = await train(
        (model) =>
          hostTrainer(model, {
            loss: perStep
              ? byHand
              : { ...byHand, onHost: (y, { lengths: _lengths, ...b }) => byHand.onHost(y, b) },
            optimizer,
            seed: 4,
          }),
        await open(),
      );
      expect(host.parameters).toEqual(device.parameters);
      // The host's loss is in float64. The device rounds each square, its weight and their product, and 29 sums of what is never below 0.
      host.losses.forEach((loss, i) =>
        expect(Math.abs(loss - (device.losses[i] as number))).toBeLessThan(32 * 2 ** -24 * loss),
      );
    },
  );

  it("learns labels whose places in time it isn't told", async () => {
    const net = stack(
      recurrent(lstm, { inputSize: 4, hiddenSize: 12, bidirectional: true }),
      dense({ inputSize: 24, outputSize: 4 }),
    );
    const model = createModel(net, await open(), { seed: 1 });
    const data = batches(bursts(100), { batchSize: 10, seed: 1 });
    const losses: number[] = [];
    const options = { loss: ctc(), optimizer: adam({ learningRate: 0.02 }), epochs: 12 };
    for await (const event of fit(model, data, options)) if (event.type === "epoch") losses.push(event.loss);
    expect(losses[0]).toBeGreaterThan(2);
    expect(losses.at(-1)).toBeLessThan(0.3);

    // The likeliest class at each step, repeats and blanks taken out.
    let right = 0;
    for (const { x, labels } of bursts(140).slice(100)) {
      const { output } = model.runSync({ shape: [x.shape[0] as number, 1, 4], data: x.data as Float32Array });
      const path = Array.from({ length: x.shape[0] as number }, (_step, t) => {
        const logits = [...output.data.slice(4 * t, 4 * t + 4)];
        return logits.indexOf(Math.max(...logits));
      });
      const told = path.filter((k, t) => k !== path[t - 1]).filter((k) => k !== 0);
      if (told.join() === labels.data.join()) right++;
    }
    expect(right).toBeGreaterThanOrEqual(36);
  });
});

describe("a loss of the host", () => {
  it.each([
    [
      "NaN in the input",
      { x: NaN, label: 1 },
      "NON_FINITE",
      /batch 1 of epoch 0: input x: batch row 1, step 0: .* NaN/,
    ],
    [
      "a label out of range",
      { x: 0, label: 4 },
      "INVALID_ARGUMENT",
      /batch 1 of epoch 0: ctc: batch row 1: .* got 4/,
    ],
  ] as const)("refuses %s before any parameter changes", async (_, { x, label }, code, says) => {
    const examples = bursts(8).slice(0, 8);
    const spoilt = examples.map((example, i) =>
      i === 5
        ? {
            x: { ...example.x, data: Float32Array.from(example.x.data).fill(x, 0, 1) },
            labels: { ...example.labels, data: Int32Array.from(example.labels.data).fill(label, 0, 1) },
          }
        : example,
    );
    const model = createModel(stack(dense({ inputSize: 4, outputSize: 4 })), openCpu());
    let before = model.parameters();
    const events: FitEvent[] = [];
    await refuses(
      async () => {
        const data = batches(spoilt, { batchSize: 4 });
        for await (const event of fit(model, data, { loss: ctc(), optimizer: adam(), epochs: 1 })) {
          events.push(event);
          before = model.parameters();
        }
      },
      code,
      says,
    );
    expect(events.length).toBe(1);
    expect(model.parameters()).toEqual(before);
  });
});
