// Sizes that fit no tile, calls in odd orders and too little memory: what comes out is what the CPU backend gives, and what fails
// leaves everything else as it was.
import { openCpu } from "@recurra/backend-cpu";
import {
  cell, createModel, dense, gradientSync, gru, lstm, recurrent, stack, tanh, type Network, type SyncBackend, type SyncModel, type Tensor,
} from "@recurra/core"; // prettier-ignore
import { beforeAll, describe, expect, test } from "vitest";
import { openWasm } from "../src/index.ts";

const cpu = openCpu();
let wasm: SyncBackend;
beforeAll(async () => void (wasm = await openWasm()));

const wave = (length: number, from = 0): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(1.7 * (i + from)));
const sequence = (...shape: [number, number, number]): Tensor => ({
  shape,
  data: wave(shape[0] * shape[1] * shape[2]),
});

/**
 * No sum here is longer than 9 steps of 65 rows. Its roundings are random, so that their squares add; four times that, as the oracle has
 * it end to end. Few enough steps and units that it doesn't grow: an error of indices is larger by orders of magnitude.
 */
const within = 4 * Math.sqrt(9 * 65) * 2 ** -24;

function expectClose(got: Float32Array, expected: Float32Array): void {
  expect(got.length).toBe(expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
  expect(worst).toBeLessThan(within * scale);
}

const pair = (network: Network): readonly [SyncModel, SyncModel] => [
  createModel(network, wasm, { seed: 1 }),
  createModel(network, cpu, { seed: 1 }),
];

describe("the same as on the CPU backend", { timeout: 60_000 }, () => {
  const sizes = [1, 7, 8, 9, 31, 32, 33, 63, 65];
  // Every size as width, units and batch, each with two others; and none at all.
  const shapes = sizes.flatMap((size, i) => {
    const [other, another] = [sizes[(i + 4) % sizes.length]!, sizes[(i + 7) % sizes.length]!];
    return [[size, other, another], [other, another, size], [another, size, 0]] as const; // prettier-ignore
  });

  test.each(shapes)("%i wide, %i units, %i rows", (inputSize, hiddenSize, batch) => {
    const network = stack(
      recurrent(lstm, { inputSize, hiddenSize }),
      recurrent(gru, { inputSize: hiddenSize, hiddenSize: inputSize, bidirectional: true }),
      dense({ inputSize: 2 * inputSize, outputSize: hiddenSize }),
    );
    const [own, other] = pair(network);
    for (const steps of [0, 1, 9]) {
      const x = sequence(steps, batch, inputSize);
      const lengths = Array.from({ length: batch }, (_, row) => (row * 5) % (steps + 1));
      for (const call of [{}, { lengths }]) {
        const expected = other.runSync(x, call).output;
        expectClose(own.runSync(x, call).output.data, expected.data);
        const gradients = [own, other].map(
          (model) => gradientSync(model, x, { output: expected }, call).parameters,
        );
        for (const name of Object.keys(gradients[1]!))
          expectClose(gradients[0]![name]!.data, gradients[1]![name]!.data);
      }
    }
    own.dispose();
  });
});

const network = stack(recurrent(lstm, { inputSize: 5, hiddenSize: 9, layers: 2 }));

/** Steps of a stream on both backends, which must agree however often this is asked. */
function streams(models = pair(network)) {
  const [own, other] = models.map((model) => model.stream({ batch: 2 }));
  let at = 0;
  return {
    models,
    agree(): void {
      const frame = wave(10, (at += 10));
      expectClose(own!.step(frame, new Float32Array(18)), other!.step(frame, new Float32Array(18)));
    },
  };
}

describe("a stream goes on", { timeout: 60_000 }, () => {
  test("with parameters that were changed between its steps, and between those of runs", () => {
    const { models, agree } = streams();
    const x = sequence(4, 3, 5);
    agree();
    for (const [i, name] of ["0.l0.U.i", "0.l1.W.f", "0.l0.b.o"].entries()) {
      const { shape } = models[0].parameters()[name]!;
      const data = wave(
        shape.reduce((a, b) => a * b, 1),
        100 * i,
      );
      for (const model of models) model.setParameters({ [name]: { shape, data } });
      agree();
      expectClose(models[0].runSync(x).output.data, models[1].runSync(x).output.data);
      agree();
    }
  });

  test("when memory has grown past 2 GiB, and so do models beyond", () => {
    const early = streams();
    early.agree();
    const filling = wasm.alloc(2 ** 29);
    early.agree();
    const late = streams();
    const [own, other] = late.models;
    const x = sequence(20, 3, 5);
    const lengths = [20, 0, 7];
    const expected = other.runSync(x, { lengths }).output;
    expectClose(own.runSync(x, { lengths }).output.data, expected.data);
    const gradients = late.models.map(
      (m) => gradientSync(m, x, { output: expected }, { lengths }).parameters,
    );
    for (const name of Object.keys(gradients[1]!))
      expectClose(gradients[0]![name]!.data, gradients[1]![name]!.data);
    late.agree();
    early.agree();
    wasm.free(filling);
    late.agree();
    early.agree();
  });

  test("after others were disposed of in any order, and another backend altogether", async () => {
    const kept = streams();
    const second = await openWasm();
    const made = [wasm, second, wasm, second].map((backend) => createModel(network, backend));
    const theirs = made.map((model) => model.stream());
    for (const stream of theirs) stream.step(wave(5), new Float32Array(9));
    made[2]!.dispose();
    theirs[2]!.dispose();
    theirs[0]!.dispose();
    made[0]!.dispose();
    made[0]!.dispose();
    kept.agree();
    second.dispose();
    for (const call of [
      () => made[1]!.runSync(sequence(1, 1, 5)),
      () => theirs[3]!.step(wave(5)),
      () => createModel(network, second),
    ])
      expect(call).toThrow(/DISPOSED/);
    theirs[1]!.dispose();
    made[1]!.dispose();
    made[3]!.dispose();
    second.dispose();
    kept.agree();
  });
});

describe("too little memory", { timeout: 60_000 }, () => {
  // What has never been given out costs nothing.
  beforeAll(async () => void (wasm = await openWasm()));

  /** Where a block comes to lie shows whether anything was left behind. */
  const place = (): number => {
    const block = wasm.alloc(1 << 20) as unknown as { readonly address: number };
    wasm.free(block as never);
    return block.address;
  };

  test.each([
    ["a model", 20_000, 20_000],
    ["a model of absurd size", 2 ** 40, 2 ** 10],
  ])("for %s is an error that leaves nothing behind", (_, inputSize, hiddenSize) => {
    const { agree } = streams();
    const before = place();
    const large = stack(recurrent(lstm, { inputSize, hiddenSize }));
    expect(() => createModel(large, wasm)).toThrow(/OUT_OF_MEMORY/);
    expect(place()).toBe(before);
    agree();
  });

  test("for a run or a stream is an error, and the model still runs", () => {
    const [own, other] = pair(stack(recurrent(lstm, { inputSize: 1, hiddenSize: 512 })));
    const short = sequence(2, 1, 1);
    const expected = other.runSync(short).output.data;
    expectClose(own.runSync(short).output.data, expected);
    const before = place();
    const long = { shape: [700_000, 1, 1], data: new Float32Array(700_000) };
    expect(() => own.runSync(long, { trace: true })).toThrow(/OUT_OF_MEMORY/);
    expect(() => own.stream({ batch: 3_000_000 })).toThrow(/OUT_OF_MEMORY/);
    expectClose(own.runSync(short).output.data, expected);
    own.dispose();
    expect(place()).toBeLessThanOrEqual(before);
  });
});

/** A cell whose equations have a number in them, so that no two share a module. */
const leaky = (rate: number) =>
  cell({
    name: "leaky",
    state: ["h"],
    W: ["a"],
    U: ["a"],
    b: ["a"],
    step: ({ x, h, W, U, b }) => ({ h: tanh(W.a.dot(x).plus(U.a.dot(h), b.a)).times(rate) }),
  });

test("models of more different equations than modules are kept", { timeout: 60_000 }, () => {
  const x = sequence(3, 2, 3);
  const models = Array.from({ length: 70 }, (_, i) =>
    pair(stack(recurrent(leaky(0.5 + i / 1000), { inputSize: 3, hiddenSize: 5 }))),
  );
  const run = (model: SyncModel): Float32Array => model.runSync(x).output.data;
  for (const [own] of models) run(own);
  for (const [own, other] of models) expectClose(run(own), run(other));
  for (const [own] of models) own.dispose();
});
