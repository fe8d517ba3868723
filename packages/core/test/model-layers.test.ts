/** Layers other than recurrent ones, and networks of several, against the oracle. */
import { afterEach, describe, expect, it } from "vitest";
import {
  activation, concat, createModel, dense, dropout, embedding, gru, last, layerNorm, lstm, network, recurrent, relu, rowSum, stack, tanh,
  type Network, type SyncModel,
} from "../src/index.ts"; // prettier-ignore
import { expected, numbers } from "./support/expected.ts";
import { openPlain } from "./support/plain-backend.ts";

const [T, B] = [5, 3];
const lengths = [2, 5, 0];
const draw = numbers(2);

const plain = openPlain();
const models: SyncModel[] = [];
const open = (net: Network): SyncModel => {
  const model = createModel(net, plain, { seed: 5 });
  models.push(model);
  return model;
};
afterEach(() => {
  for (const model of models.splice(0)) model.dispose();
  expect(plain.live()).toBe(0);
});

/** Every output of both a full and a ragged run is the oracle's. */
function check(net: Network, inputs: Record<string, ReturnType<typeof draw>>): void {
  for (const given of [{}, { lengths }]) {
    const model = open(net);
    const agree = expected(model, { inputs, ...given });
    for (const [name, tensor] of Object.entries(model.runSync(inputs, given).outputs))
      agree(`output ${name}`, tensor);
  }
}

describe("against the oracle", () => {
  const x = draw(T, B, 4);
  it.each([
    ["dense", stack(dense({ inputSize: 4, outputSize: 3 }))],
    [
      "dense on dense",
      stack(dense({ inputSize: 4, outputSize: 3 }), activation(tanh), dense({ inputSize: 3, outputSize: 2 })),
    ],
    ["activation", stack(dense({ inputSize: 4, outputSize: 3 }), activation(relu))],
    [
      "layerNorm",
      stack(layerNorm({ size: 4 }), recurrent(gru, { inputSize: 4, hiddenSize: 3 }), layerNorm({ size: 3 })),
    ],
    ["last", stack(recurrent(gru, { inputSize: 4, hiddenSize: 3 }), last)],
    [
      "dense after last",
      stack(recurrent(lstm, { inputSize: 4, hiddenSize: 3 }), last, dense({ inputSize: 3, outputSize: 2 })),
    ],
    ["a reduction", network({ x: 4 }, ({ x: v }) => rowSum(v.times(v)))],
    ["the input itself", network({ x: 4 }, ({ x: v }) => v)],
    [
      "two names for one value",
      network({ x: 4 }, ({ x: v }) => {
        const h = tanh(v);
        return { a: h, b: h };
      }),
    ],
    [
      "a forward and a reverse layer",
      stack(
        recurrent(gru, { inputSize: 4, hiddenSize: 3 }),
        recurrent(lstm, { inputSize: 3, hiddenSize: 2, reverse: true }),
      ),
    ],
    [
      "skips around layers",
      network({ x: 4 }, ({ x: v }) => {
        const a = recurrent(gru, { inputSize: 4, hiddenSize: 4 })(v).plus(v);
        const b = recurrent(lstm, { inputSize: 8, hiddenSize: 2, bidirectional: true })(concat(a, v));
        return { b, a: last(a) };
      }),
    ],
  ] as const)("%s", (_, net) => check(net, { x }));
});

describe("embedding", () => {
  const net = stack(
    embedding({ vocabularySize: 6, outputSize: 4 }),
    recurrent(gru, { inputSize: 4, hiddenSize: 3 }),
  );
  const ids = [0, 5, 3, 3, 1, 2, 4, 0, 0, 5, 2, 1, 3, 4, 1];

  it("looks rows up, from any array of whole numbers, with or without a last axis of 1", () => {
    const floats = { shape: [T, B, 1], data: Float32Array.from(ids) };
    check(net, { x: floats });
    const { output } = open(net).runSync(floats);
    for (const data of [Int32Array.from(ids), Uint32Array.from(ids), Uint16Array.from(ids), Uint8Array.from(ids)])
      for (const shape of [[T, B], [T, B, 1]]) expect(open(net).runSync({ shape, data }).output).toEqual(output); // prettier-ignore
  });

  it("gives its table's rows", () => {
    const model = open(stack(embedding({ vocabularySize: 6, outputSize: 4 })));
    const { data } = model.runSync({ shape: [T, B], data: Int32Array.from(ids) }).output;
    const table = model.parameters()["0.W"]!;
    expect(table.shape).toEqual([6, 4]);
    ids.forEach((id, i) =>
      expect(data.slice(4 * i, 4 * i + 4)).toEqual(table.data.slice(4 * id, 4 * id + 4)),
    );
  });
});

describe("a layer used twice", () => {
  const shared = recurrent(lstm, { inputSize: 4, hiddenSize: 4, name: "shared" });
  const twice = network({ x: 4 }, ({ x }) => shared(shared(x)));
  const x = draw(T, B, 4);

  it("has one set of parameters, and states of its own each time", () => {
    const model = open(twice);
    check(twice, { x });
    expect(Object.keys(model.parameters())).toHaveLength(12);
    const { state, trace } = model.runSync(x, { trace: true });
    expect(Object.keys(state)).toEqual(["shared.h", "shared.c", "shared#2.h", "shared#2.c"]);
    expect(trace["shared#2.f"]!.data).not.toEqual(trace["shared.f"]!.data);
  });

  it("is the layer applied to its own output", () => {
    const once = open(network({ x: 4 }, ({ x: v }) => shared(v)));
    const model = open(twice);
    once.setParameters(model.parameters());
    expect(model.runSync(x).output).toEqual(once.runSync(once.runSync(x).output).output);
  });

  it("of the same kind, made twice, shares nothing", () => {
    const make = () => dense({ inputSize: 4, outputSize: 4 });
    expect(Object.keys(open(stack(make(), make())).parameters())).toEqual(["0.W", "0.b", "1.W", "1.b"]);
  });
});

it("dropout does nothing in a run, nor between layers", () => {
  const x = draw(T, B, 4);
  const net = (p: number) =>
    stack(dropout(p), recurrent(gru, { inputSize: 4, hiddenSize: 3, layers: 2, dropout: p }), dropout(p));
  expect(open(net(0.9)).runSync(x)).toEqual(open(net(0)).runSync(x));
});

describe("a network that makes no sense is refused where it is written", () => {
  it.each([
    [
      "widths that don't fit",
      () => stack(dense({ inputSize: 4, outputSize: 3 }), dense({ inputSize: 4, outputSize: 3 })),
      /SHAPE_MISMATCH/,
    ],
    ["no layer with an inputSize", () => stack(dropout(0.5)), /inputSize/],
    ["no inputs", () => network({}, () => ({})), /at least one input/],
    ["no outputs", () => network({ x: 2 }, () => ({})), /at least one output/],
    ["an input called mask", () => network({ mask: 2 }, ({ mask }) => mask), /other than mask/],
    [
      "an output that a record can't hold",
      () => network({ x: 2 }, ({ x }) => ({ ["__proto__"]: x })),
      /output: expected names without dots.*, got "__proto__"/,
    ],
    ["an input with a dot", () => network({ "d.x": 2 }, (v) => v["d.x"]), /without dots/],
    [
      "an output with a space",
      () => network({ x: 2 }, ({ x }) => ({ "state h": x })),
      /without dots and spaces, got "state h"/,
    ],
    [
      "a recurrent layer after last",
      () =>
        stack(
          recurrent(gru, { inputSize: 2, hiddenSize: 2 }),
          last,
          recurrent(gru, { inputSize: 2, hiddenSize: 2 }),
        ),
      /last/,
    ],
    ["last after last", () => stack(recurrent(gru, { inputSize: 2, hiddenSize: 2 }), last, last), /last/],
    [
      "two layers of one name",
      () =>
        stack(
          dense({ inputSize: 2, outputSize: 2, name: "a" }),
          dense({ inputSize: 2, outputSize: 2, name: "a" }),
        ),
      /dense: name: .* other than a, got "a"/,
    ],
    [
      "an embedding of computed ids",
      () => stack(dense({ inputSize: 2, outputSize: 1 }), embedding({ vocabularySize: 3, outputSize: 2 })),
      /input of ids/,
    ],
    [
      "both directions and reverse",
      () => recurrent(gru, { inputSize: 2, hiddenSize: 2, bidirectional: true, reverse: true }),
      /either/,
    ],
    [
      "an unknown merge",
      () => recurrent(gru, { inputSize: 2, hiddenSize: 2, merge: "max" as "sum" }),
      /merge/,
    ],
    ["a hidden size of 0", () => recurrent(gru, { inputSize: 2, hiddenSize: 0 }), /hiddenSize/],
    ["half an input", () => dense({ inputSize: 2.5, outputSize: 1 }), /inputSize/],
    ["a dropout of 1", () => dropout(1), /probability/],
    [
      "a value of another network",
      () => {
        let leaked: unknown;
        network({ x: 2 }, ({ x }) => {
          leaked = x;
          return x;
        });
        network({ x: 2 }, () => leaked as never);
      },
      /another network/,
    ],
  ] as const)("%s", (_, make, message) => expect(make).toThrow(message));
});
