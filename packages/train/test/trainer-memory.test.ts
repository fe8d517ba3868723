/** A step's memory: what `explain` says, and not a buffer more, however many steps are taken. */
import { openCpu } from "@recurra/backend-cpu";
import {
  createModel,
  dense,
  dropout,
  lstm,
  recurrent,
  stack,
  type Backend,
  type DeviceBuffer,
} from "@recurra/core";
import { describe, expect, it } from "vitest";
import { adam, createTrainer, crossEntropy } from "../src/index.ts";
import { backends, numbers } from "./support/backends.ts";

const [T, B, I, H, C] = [20, 4, 3, 5, 6];
const draw = numbers(41);
const network = stack(
  recurrent(lstm, { inputSize: I, hiddenSize: H }),
  dropout(0.3),
  dense({ inputSize: H, outputSize: C }),
);

/** Counts what lives in a backend's memory. */
function counted<K extends Backend>(backend: K): { backend: K; bytes: () => number } {
  const live = new Set<DeviceBuffer>();
  const alloc = (length: number): DeviceBuffer => {
    const buffer = backend.alloc(length);
    live.add(buffer);
    return buffer;
  };
  const free = (buffer: DeviceBuffer): void => {
    live.delete(buffer);
    backend.free(buffer);
  };
  return {
    backend: { ...backend, alloc, free },
    bytes: () => [...live].reduce((sum, { length }) => sum + 4 * length, 0),
  };
}

const options = { loss: crossEntropy(), optimizer: adam(), clip: { norm: 1 } };
const batchOf = (steps: number, batch: number) => ({
  x: draw(steps, batch, I),
  target: { shape: [steps, batch], data: Int32Array.from({ length: steps * batch }, (_, i) => i % C) },
});

describe("memory", () => {
  it("is what explain says", async () => {
    const { backend, bytes } = counted(openCpu());
    const plain = createModel(stack(recurrent(lstm, { inputSize: I, hiddenSize: H }), dense({ inputSize: H, outputSize: C })), backend);
    const trainer = createTrainer(plain, options);
    await trainer.step(batchOf(T, B));
    const text = trainer.explain({ steps: T, batch: B });
    expect(text).toMatch(/^training: /m);
    expect(text).toMatch(/^update: /m);
    expect(text).toContain(`memory of a training step, bytes  ${bytes().toLocaleString("en-US")}`);
    expect(trainer.explain()).toMatch(/memory of a training step, bytes .*T·B/);
    trainer.dispose();
    plain.dispose();
    expect(bytes()).toBe(0);
  }); // prettier-ignore

  it.each(backends)("%s: doesn't grow over steps of any size", async (_, open) => {
    const { backend, bytes } = counted(await open());
    const model = createModel(network, backend, { seed: 1 });
    const trainer = createTrainer(model, options);
    const batches = [
      batchOf(7, 3),
      batchOf(9, 3),
      { ...batchOf(9, 3), lengths: [9, 0, 4] },
      batchOf(9, 2),
      batchOf(9, 1),
    ];
    const round = async () => {
      for (const batch of batches) await trainer.step(batch);
      await trainer.evaluate(batches[1]!);
    };
    await round();
    await round();
    const before = bytes();
    const steps = process.env["RECURRA_SOAK"] ? 10_000 : 100;
    for (let i = 0; i < steps; i += batches.length) {
      await round();
      expect(bytes()).toBe(before);
    }
    trainer.dispose();
    model.dispose();
    expect(bytes()).toBe(0);
    backend.dispose();
  });
});

describe.each(backends)("%s", (_, open) => {
  it("trains to the same bits from the same seed, and to others from another", async () => {
    const train = async (seed: number) => {
      const backend = await open();
      const model = createModel(network, backend, { seed: 1 });
      const trainer = createTrainer(model, { ...options, seed });
      for (let i = 0; i < 5; i++) await trainer.step({ ...batch, lengths: [i + 3, 9, 2] });
      const state = await trainer.state();
      backend.dispose();
      return state;
    };
    const batch = batchOf(9, 3);
    const first = await train(1);
    expect(await train(1)).toEqual(first);
    expect((await train(2)).parameters["2.W"]).not.toEqual(first.parameters["2.W"]);
  });
});
