/** The trainer's step on both synchronous backends. */
import { openCpu } from "@recurra/backend-cpu";
import { openWasm } from "@recurra/backend-wasm";
import { createModel, dense, last, lstm, recurrent, stack, type SyncBackend } from "@recurra/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adam, createTrainer, crossEntropy, meanSquared, sgd } from "../src/index.ts";

const numbers = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 1.7 * i)) };
};

describe.each<[string, () => SyncBackend | Promise<SyncBackend>]>([
  ["cpu", () => openCpu()],
  ["wasm", () => openWasm()],
])("%s", (_, open) => {
  let backend: SyncBackend;
  beforeEach(async () => {
    backend = await open();
  });
  afterEach(() => backend.dispose());

  it("learns to classify by the last step", async () => {
    const network = stack(
      recurrent(lstm, { inputSize: 3, hiddenSize: 8 }),
      last,
      dense({ inputSize: 8, outputSize: 4 }),
    );
    const model = createModel(network, backend, { seed: 1 });
    const trainer = createTrainer(model, {
      loss: crossEntropy(),
      optimizer: adam({ learningRate: 0.05 }),
      clip: { norm: 1 },
    });
    const batch = { x: numbers(5, 6, 3), target: { shape: [6], data: Int32Array.of(0, 1, 2, 3, 0, 1) } };
    const before = await trainer.evaluate(batch);
    const first = await trainer.step(batch);
    expect(first.loss).toBe(before.loss);
    let loss = Infinity;
    for (let i = 0; i < 100; i++) ({ loss } = await trainer.step(batch));
    expect(loss).toBeLessThan(0.05);
    const { parameters } = await trainer.state();
    expect(parameters).toEqual(model.parameters());
    const { output } = model.runSync(batch.x);
    expect(output).toEqual((await trainer.evaluate(batch)).output);
  });

  it("takes the step of its definition", async () => {
    const model = createModel(stack(dense({ inputSize: 2, outputSize: 1 })), backend, { seed: 3 });
    const { "0.W": W, "0.b": b } = model.parameters();
    const trainer = createTrainer(model, { loss: meanSquared(), optimizer: sgd({ learningRate: 0.5 }) });
    const x = numbers(2, 2, 2);
    const target = numbers(2, 2, 1);
    const { loss } = await trainer.step({ x, target });
    const errors = Array.from(
      { length: 4 },
      (_, r) =>
        W!.data[0]! * x.data[2 * r]! + W!.data[1]! * x.data[2 * r + 1]! + b!.data[0]! - target.data[r]!,
    );
    // Numbers below 4, each rounded to float32 some 14 times: y four, error, slope and weight, four sums, the update.
    const near = (got: number | undefined, wanted: number) =>
      expect(Math.abs(got! - wanted)).toBeLessThanOrEqual(14 * 4 * 2 ** -24);
    near(
      loss,
      errors.reduce((sum, e) => sum + (e * e) / 4, 0),
    );
    const slope = (of: (r: number) => number) => errors.reduce((sum, e, r) => sum + (2 * e * of(r)) / 4, 0);
    const after = model.parameters();
    near(after["0.b"]!.data[0], b!.data[0]! - 0.5 * slope(() => 1));
    near(after["0.W"]!.data[0], W!.data[0]! - 0.5 * slope((r) => x.data[2 * r]!));
    near(after["0.W"]!.data[1], W!.data[1]! - 0.5 * slope((r) => x.data[2 * r + 1]!));
  });

  it("changes what runs and streams compute with, which may hold copies of the parameters", async () => {
    const network = stack(
      recurrent(lstm, { inputSize: 3, hiddenSize: 16 }),
      dense({ inputSize: 16, outputSize: 2 }),
    );
    const model = createModel(network, backend, { seed: 1 });
    const trainer = createTrainer(model, { loss: meanSquared(), optimizer: sgd({ learningRate: 0.1 }) });
    const stream = model.stream();
    const [x, frame] = [numbers(4, 2, 3), numbers(3).data];
    const inUse = () => ({ run: model.runSync(x), step: stream.step(frame) });
    // More than once: copies are made where a matrix is found unchanged.
    const before = [inUse(), inUse(), inUse()][2]!;
    for (let i = 0; i < 3; i++) await trainer.step({ x, target: numbers(4, 2, 2) });
    stream.reset();
    const twin = createModel(network, backend, { parameters: model.parameters() });
    const other = twin.stream();
    for (let i = 0; i < 3; i++) {
      expect(model.runSync(x)).toEqual(twin.runSync(x));
      expect(stream.step(frame)).toEqual(other.step(frame));
    }
    expect(model.runSync(x)).not.toEqual(before.run);
  });
});

it("takes the same steps on two threads", async () => {
  const network = stack(
    recurrent(lstm, { inputSize: 8, hiddenSize: 64 }),
    last,
    dense({ inputSize: 64, outputSize: 10 }),
  );
  const target = { shape: [64], data: Int32Array.from({ length: 64 }, (_, i) => i % 10) };
  const train = async (threads: number) => {
    const backend = await openWasm({ threads });
    const model = createModel(network, backend, { seed: 1 });
    const trainer = createTrainer(model, { loss: crossEntropy(), optimizer: adam(), clip: { norm: 0.1 } });
    for (let i = 0; i < 3; i++) await trainer.step({ x: numbers(10, 64, 8), target });
    const state = await trainer.state();
    backend.dispose();
    return state;
  };
  expect(await train(2)).toEqual(await train(1));
});
