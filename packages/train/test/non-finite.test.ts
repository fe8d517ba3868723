/** A loss that isn't finite stops training before a parameter changes, and says where it came from. */
import {
  activation, cell, constant, createModel, dense, dropout, exp, gru, last, recurrent, sigmoid, stack, tanh, type Network,
} from "@recurra/core"; // prettier-ignore
import { describe, expect, it } from "vitest";
import { openLater } from "../../core/test/support/later-backend.ts";
import { hostTrainer } from "../src/host-loss.ts";
import { adam, createTrainer, ctc, meanSquared, sgd } from "../src/index.ts";
import { backends, numbers } from "./support/backends.ts";

const [T, B, I, H] = [6, 3, 2, 4];
const draw = numbers(21);
const x = draw(T, B, I);

const options = { loss: meanSquared(), optimizer: adam() };

/** Numbers of x that make exp overflow, in one row, at one step. */
const spoilt = (b: number, ...times: number[]) => {
  const data = x.data.slice();
  for (const t of times) data.fill(1e3, (t * B + b) * I, (t * B + b + 1) * I);
  return { ...x, data };
};

/** A cell that overflows where its input is large. */
const fragile = cell({
  name: "fragile",
  state: ["h"],
  W: ["a"],
  U: ["z"],
  step({ x: input, h, W, U }) {
    const z = sigmoid(U.z.dot(h));
    const a = exp(W.a.dot(input));
    return { h: z.times(tanh(h)).plus(a.minus(1)) };
  },
});
const layer = (reverse = false) =>
  recurrent(fragile, { inputSize: I, hiddenSize: H, reverse, initializers: { W: constant(0.5) } });

describe.each([...backends, ["later", openLater] as const])("%s", (_, open) => {
  const refuses = async (network: Network, batch: { x: typeof x; lengths?: number[] }, says: RegExp, target = draw(T, B, 2)) => {
    const backend = await open();
    const model = createModel(network, backend, { seed: 2 });
    const trainer = createTrainer(model, options);
    await trainer.step({ x, target });
    const before = await trainer.state();
    await expect(trainer.step({ ...batch, target })).rejects.toThrow(says);
    await expect(trainer.step({ ...batch, target })).rejects.toMatchObject({ code: "NON_FINITE_LOSS" });
    expect(await trainer.state()).toEqual(before);
    // It goes on with another batch.
    expect(await trainer.step({ x, target })).toMatchObject({ step: 2 });
    trainer.dispose();
    model.dispose();
    backend.dispose();
  };

  it("names the step, the row, the layer, the gate and the time step", () =>
    refuses(
      stack(layer(), dense({ inputSize: H, outputSize: 2 })),
      { x: spoilt(1, 3, 5) },
      /training step 2.*of batch row 1, step 3.*layer 0 \(fragile\), gate a, unit 0, time step 3: Infinity/s,
    ));

  it("a gradient that isn't finite, of a loss that is", async () => {
    const backend = await open();
    const network = stack(dense({ inputSize: 1, outputSize: 1 }));
    const zeros = (...shape: number[]) => ({ shape, data: new Float32Array(1) });
    const model = createModel(network, backend, { parameters: { "0.W": zeros(1, 1), "0.b": zeros(1) } });
    for (const clip of [{}, { norm: 1 }, { value: 1 }]) {
      const trainer = createTrainer(model, { ...options, clip });
      const batch = (value: number) => ({
        x: { shape: [1, 1, 1], data: Float32Array.of(value) },
        target: { shape: [1, 1, 1], data: Float32Array.of(2) },
      });
      const before = await trainer.state();
      await expect(trainer.step(batch(3e38))).rejects.toThrow(
        /^training step 1: expected a finite gradient, got -Infinity of parameter 0\.W; no parameter was changed/,
      );
      await expect(trainer.step(batch(1e20))).rejects.toMatchObject({
        code: "NON_FINITE_LOSS",
        message: expect.stringMatching(/its norm overflows/) as string,
      });
      expect(await trainer.state()).toEqual(before);
      expect((await trainer.evaluate(batch(1))).loss).toBe(4);
      trainer.dispose();
    }
    model.dispose();
    backend.dispose();
  }); // prettier-ignore

  it("names where a host's loss that isn't finite comes from", async () => {
    const backend = await open();
    const network = stack(layer(), dropout(0.5), dense({ inputSize: H, outputSize: 3 }));
    const model = createModel(network, backend, { seed: 2 });
    const trainer = hostTrainer(model, { loss: ctc(), optimizer: adam() });
    const target = { shape: [B, 1], data: Int32Array.of(1, 2, 1) };
    const before = await trainer.state();
    const batch = { x: spoilt(1, 3, 5), target, lengths: [6, 6, 4] };
    await expect(trainer.step(batch)).rejects.toThrow(
      /^training step 1: expected a finite loss, got Infinity of batch row 1, step 3 \(ctc\); .*layer 0 \(fragile\), gate a, unit 0, time step 3: Infinity/,
    );
    await expect(trainer.evaluate(batch)).rejects.toThrow(/^evaluation: .*gate a, unit 0, time step 3/);
    expect(await trainer.state()).toEqual(before);
    expect(await trainer.step({ x, target })).toMatchObject({ step: 1 });
    trainer.dispose();
    model.dispose();
    backend.dispose();
  });

  it("in a row with a length", () =>
    refuses(
      stack(layer(), dense({ inputSize: H, outputSize: 2 })),
      { x: spoilt(2, 2, 5), lengths: [6, 6, 4] },
      /of batch row 2, step 2.*layer 0 \(fragile\), gate a, unit 0, time step 2: Infinity/s,
    ));

  it("in a layer that walks backwards, from its first step", () =>
    refuses(
      stack(activation((v) => v), layer(true), dense({ inputSize: H, outputSize: 2 })),
      { x: spoilt(0, 1, 4) },
      /layer 1 \(fragile\), gate a, unit 0, time step 4: Infinity/,
    ));

  it("before a layer that walks backwards and sees it sooner", () =>
    refuses(
      stack(layer(), recurrent(gru, { inputSize: H, hiddenSize: H, reverse: true }), last, dense({ inputSize: H, outputSize: 2 })),
      { x: spoilt(1, 3) },
      /of batch row 1 \(meanSquared\).*layer 0 \(fragile\), gate a, unit 0, time step 3: Infinity/s,
      draw(B, 2),
    ));

  it("in a layer without gates", () =>
    refuses(
      stack(activation(exp), dense({ inputSize: I, outputSize: H }), activation(tanh), dense({ inputSize: H, outputSize: 2 })),
      { x: spoilt(1, 1) },
      /batch row 1, step 1.*layer 1 \(dense\), unit 0, time step 1: (NaN|-?Infinity)/s,
    ));
}); // prettier-ignore

describe("what it says", () => {
  it("of a parameter that is no number any more", async () => {
    const [, open] = backends[0]!;
    const backend = await open();
    const model = createModel(stack(dense({ inputSize: I, outputSize: 2 })), backend);
    // Each update is 1e38 times a gradient of about a hundred: past the largest float32.
    const trainer = createTrainer(model, { loss: meanSquared(), optimizer: sgd({ learningRate: 1e38 }) });
    const { shape, data } = draw(T, B, 2);
    const target = { shape, data: data.map((v) => 100 * v + 100) };
    await trainer.step({ x, target });
    await expect(trainer.step({ x, target })).rejects.toThrow(/parameter 0\.W isn't finite any more/);
    backend.dispose();
  });

  it("of a loss that overflows by itself, with dropout", async () => {
    const [, open] = backends[1]!;
    const backend = await open();
    const model = createModel(stack(dropout(0.5), dense({ inputSize: I, outputSize: 2 })), backend);
    const trainer = createTrainer(model, options);
    const target = draw(T, B, 2);
    target.data[20] = 1e30;
    await expect(trainer.step({ x, target })).rejects.toThrow(
      /got Infinity of batch row 1, step 3.*every gate and layer is finite/s,
    );
    backend.dispose();
  });
});
