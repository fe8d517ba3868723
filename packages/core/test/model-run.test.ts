/** Whole sequences through the public API, against the oracle. */
import { afterEach, describe, expect, it } from "vitest";
import {
  cell,
  concat,
  createModel,
  dense,
  gradientSync,
  gru,
  lstm,
  lstmp,
  network,
  recurrent,
  slstm,
  stack,
  tanh,
  type Network,
  type RunOptions,
  type SyncModel,
  type Tensor,
} from "../src/index.ts";
import { batchFirst, expected, numbers } from "./support/expected.ts";
import { openPlain } from "./support/plain-backend.ts";

const [T, B, I, H] = [6, 3, 4, 5];
const draw = numbers(1);
const x = draw(T, B, I);
const lengths = [4, 0, 6];

const plain = openPlain();
const models: SyncModel[] = [];
const open = (net: Network): SyncModel => {
  const model = createModel(net, plain, { seed: 3 });
  models.push(model);
  return model;
};
afterEach(() => {
  for (const model of models.splice(0)) model.dispose();
  expect(plain.live()).toBe(0);
});

/** Runs, and holds every output, gate and final state to the oracle. */
function runChecked(
  model: SyncModel,
  inputs: Readonly<Record<string, Tensor>>,
  options: Pick<RunOptions, "state"> & { lengths?: number[] } = {},
) {
  const result = model.runSync(inputs, { ...options, trace: true });
  const agree = expected(model, { inputs, ...options });
  for (const [name, tensor] of Object.entries(result.outputs)) agree(`output ${name}`, tensor);
  for (const [name, tensor] of Object.entries(result.trace)) agree(`trace ${name}`, tensor);
  for (const [name, tensor] of Object.entries(result.state)) agree(`state ${name}`, tensor);
  return result;
}

describe.each([
  ["forward", {}],
  ["reverse", { reverse: true }],
  ["bidirectional, concatenated", { bidirectional: true }],
  ["bidirectional, summed", { bidirectional: true, merge: "sum" }],
  ["bidirectional, multiplied", { bidirectional: true, merge: "mul" }],
  ["bidirectional, averaged", { bidirectional: true, merge: "mean" }],
  ["three layers", { layers: 3 }],
  ["two bidirectional layers", { layers: 2, bidirectional: true }],
] as const)("%s", (_, options) => {
  const net = stack(recurrent(gru, { inputSize: I, hiddenSize: H, ...options }));
  it("gives the oracle's outputs, gates and states", () => {
    const { output, trace, state } = runChecked(open(net), { x });
    const width = net.build().outputs.get("output")!.width;
    expect(output.shape).toEqual([T, B, width]);
    for (const gate of Object.values(trace)) expect(gate.shape).toEqual([T, B, H]);
    for (const final of Object.values(state)) expect(final.shape).toEqual([B, H]);
  });

  it("from given states, with lengths", () => {
    const model = open(net);
    const state = Object.fromEntries([...model.engine.graph.states.keys()].map((name) => [name, draw(B, H)]));
    const result = runChecked(model, { x }, { state, lengths });
    for (const [name, { data }] of Object.entries(result.state))
      expect(data.slice(H, 2 * H), "a row of no steps keeps its state").toEqual(
        state[name]!.data.slice(H, 2 * H),
      );
  });
});

describe("names", () => {
  it("of one layer are the cell's", () => {
    const model = open(stack(recurrent(lstm, { inputSize: I, hiddenSize: H })));
    const { trace, state } = model.runSync(x, { trace: true });
    expect(Object.keys(trace).sort()).toEqual(["0.c", "0.f", "0.g", "0.h", "0.i", "0.o"]);
    expect(Object.keys(state)).toEqual(["0.h", "0.c"]);
    expect(trace["0.f"]!.shape).toEqual([T, B, H]);
  });

  it("of several layers and directions say which", () => {
    const model = open(
      stack(recurrent(gru, { inputSize: I, hiddenSize: H, layers: 2, bidirectional: true, name: "rnn" })),
    );
    expect(Object.keys(model.runSync(x).state)).toEqual([
      "rnn.l0.h",
      "rnn.l0.reverse.h",
      "rnn.l1.h",
      "rnn.l1.reverse.h",
    ]);
    expect(Object.keys(model.parameters())).toContain("rnn.l1.reverse.U.z");
  });

  it("without trace there is none", () => {
    expect(open(stack(recurrent(gru, { inputSize: I, hiddenSize: H }))).runSync(x).trace).toEqual({});
  });
});

describe("lengths", () => {
  const model = (): SyncModel =>
    open(stack(recurrent(lstm, { inputSize: I, hiddenSize: H, bidirectional: true })));

  it("what lies past a row's end changes nothing, NaN neither", () => {
    const spoilt = {
      shape: x.shape,
      data: x.data.map((v, i) => (Math.floor(i / (B * I)) < lengths[Math.floor(i / I) % B]! ? v : NaN)),
    };
    expect(model().runSync(spoilt, { lengths, trace: true })).toEqual(
      model().runSync(x, { lengths, trace: true }),
    );
  });

  it("outputs and gates are 0 past a row's end", () => {
    const { output, trace } = model().runSync(x, { lengths, trace: true });
    for (const { data, shape } of [output, ...Object.values(trace)]) {
      const width = shape[2]!;
      data.forEach((v, i) => {
        const [t, b] = [Math.floor(i / (B * width)), Math.floor(i / width) % B];
        if (t >= lengths[b]!) expect(v).toBe(0);
      });
    }
  });

  it("a row of a batch gives what it gives alone, bit for bit, in both directions", () => {
    const all = model().runSync(x, { lengths });
    const row = (b: number): Tensor => ({
      shape: [lengths[b]!, 1, I],
      data: Float32Array.from(
        { length: lengths[b]! * I },
        (_, i) => x.data[(Math.floor(i / I) * B + b) * I + (i % I)]!,
      ),
    });
    for (const b of [0, 1, 2]) {
      const alone = model().runSync(row(b));
      for (const [name, { data }] of Object.entries(alone.state))
        expect(data).toEqual(all.state[name]!.data.slice(b * H, (b + 1) * H));
      alone.output.data.forEach((v, i) =>
        expect(v).toBe(all.output.data[(Math.floor(i / (2 * H)) * B + b) * 2 * H + (i % (2 * H))]),
      );
    }
  });

  it("that are all full change no bit", () => {
    expect(model().runSync(x, { lengths: [T, T, T] })).toEqual(model().runSync(x));
    expect(model().runSync(x, { lengths: Int32Array.of(T, T, T) })).toEqual(model().runSync(x));
  });
});

describe("output: last", () => {
  const net = stack(recurrent(gru, { inputSize: I, hiddenSize: H }), dense({ inputSize: H, outputSize: 2 }));

  it("is the output at each row's last step, 0 for an empty row", () => {
    const all = open(net).runSync(x, { lengths }).output;
    const { output } = open(net).runSync(x, { lengths, output: "last" });
    expect(output.shape).toEqual([B, 2]);
    lengths.forEach((n, b) => {
      const at = ((n - 1) * B + b) * 2;
      expect([...output.data.slice(2 * b, 2 * b + 2)]).toEqual(
        n === 0 ? [0, 0] : [...all.data.slice(at, at + 2)],
      );
    });
  });

  it("without lengths is the last step's", () => {
    const all = open(net).runSync(x).output;
    expect(open(net).runSync(x, { output: "last" }).output.data).toEqual(all.data.slice(-2 * B));
  });
});

it("batchFirst exchanges time and batch of inputs, outputs and gates, and of nothing else", () => {
  const model = open(stack(recurrent(lstm, { inputSize: I, hiddenSize: H, bidirectional: true })));
  for (const given of [{}, { lengths }]) {
    const timeMajor = model.runSync(x, { ...given, trace: true });
    const swapped = model.runSync(batchFirst(x), { ...given, trace: true, batchFirst: true });
    expect(swapped.output).toEqual(batchFirst(timeMajor.output));
    expect(swapped.trace["0.l0.f"]).toEqual(batchFirst(timeMajor.trace["0.l0.f"]!));
    expect(swapped.state).toEqual(timeMajor.state);
  }
});

it("states in and out cut a sequence anywhere, bit for bit", () => {
  for (const cell of [gru, lstm, lstmp({ projectionSize: 2 }), slstm()]) {
    const model = open(stack(recurrent(cell, { inputSize: I, hiddenSize: H, layers: 2 })));
    const whole = model.runSync(x);
    const part = (from: number, to: number): Tensor => ({
      shape: [to - from, B, I],
      data: x.data.slice(from * B * I, to * B * I),
    });
    const first = model.runSync(part(0, 2));
    const second = model.runSync(part(2, T), { state: first.state });
    expect(second.state).toEqual(whole.state);
    expect([...first.output.data, ...second.output.data]).toEqual([...whole.output.data]);
  }
});

it("a result is the caller's: later runs don't change it", () => {
  const model = open(stack(recurrent(gru, { inputSize: I, hiddenSize: H })));
  const { output, state } = model.runSync(x, { trace: true });
  const copy = structuredClone({ output, state });
  model.runSync(draw(T, B, I), { trace: true, state });
  expect({ output, state }).toEqual(copy);
});

it("several inputs and outputs, by name", () => {
  const net = network({ a: 2, b: 3 }, ({ a, b }) => {
    const h = recurrent(lstm, { inputSize: 5, hiddenSize: H })(concat(a, b));
    return { h, shown: dense({ inputSize: H + 2, outputSize: 1 })(concat(h, a)), product: b.times(b) };
  });
  const model = open(net);
  const inputs = { a: draw(T, B, 2), b: draw(T, B, 3) };
  const { output, outputs } = runChecked(model, inputs);
  expect(Object.keys(outputs)).toEqual(["h", "shown", "product"]);
  expect(output).toBe(outputs["h"]);
  expect(outputs["shown"]!.shape).toEqual([T, B, 1]);
  runChecked(model, inputs, { lengths });
});

it("what follows from parameters alone has a row for every step", () => {
  const odd = cell({
    name: "odd",
    state: ["h", "s"],
    W: ["a"],
    b: ["a", "k"],
    step: ({ x: v, W, b }) => ({
      h: tanh(W.a.dot(v).plus(b.a)),
      s: tanh(b.k),
      y: b.k,
      doubled: b.k.times(2),
    }),
  });
  const model = open(stack(recurrent(odd, { inputSize: I, hiddenSize: H })));
  runChecked(model, { x });
  const ones = { shape: [T, B, H], data: new Float32Array(T * B * H).fill(1) };
  const { parameters } = gradientSync(model, x, { output: ones });
  expect(parameters["0.b.k"]).toEqual({ shape: [H], data: new Float32Array(H).fill(T * B) });
});
