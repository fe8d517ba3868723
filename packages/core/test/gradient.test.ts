/** Gradients through the public API: against the oracle's adjoint, and against differences of the oracle's loss. */
import { afterEach, describe, expect, it } from "vitest";
import {
  activation, cell, concat, createModel, dense, dropout, embedding, gradientSync, gru, gruResetBefore, last, layerNorm, lstm, lstmp, network, recurrent, relu, rowSum, slstm, sqrt, stack, tanh,
  type Expr, type GradientOptions, type GradientResult, type LossGradient, type Network, type SyncModel, type Tensor,
} from "../src/index.ts"; // prettier-ignore
import { drawMasks, evaluate, finalState, random } from "../src/internal.ts";
import { batchFirst, expected, numbers } from "./support/expected.ts";
import { openPlain } from "./support/plain-backend.ts";

const [T, B, I, H] = [5, 3, 4, 3];
const lengths = [3, 0, 5];
const draw = numbers(8);
const x = draw(T, B, I);

const plain = openPlain();
const models: SyncModel[] = [];
const open = (net: Network): SyncModel => {
  const model = createModel(net, plain, { seed: 7 });
  models.push(model);
  return model;
};
afterEach(() => {
  for (const model of models.splice(0)) model.dispose();
  expect(plain.live()).toBe(0);
});

type Tensors = Readonly<Record<string, Tensor>>;

/** A gradient of everything with respect to everything, held to the oracle. */
function check(net: Network, inputs: Tensors, options: { lengths?: number[] } = {}): GradientResult {
  const model = open(net);
  const { outputs, states } = model.engine.graph;
  const seeds = Object.fromEntries(
    [...outputs].map(([name, { domain, width }]) => [
      name,
      draw(...(domain === "batch" ? [B] : [T, B]), width),
    ]),
  );
  const some = (): Tensors =>
    Object.fromEntries([...states].map(([name, { width }]) => [name, draw(B, width)]));
  const [state, finalSeeds] = [some(), some()];
  const result = gradientSync(model, inputs, { outputs: seeds, state: finalSeeds }, { ...options, state });
  const agree = expected(model, { inputs, state, seeds, finalSeeds, ...options });
  for (const [name, tensor] of Object.entries(result.outputs)) agree(`output ${name}`, tensor);
  for (const [name, tensor] of Object.entries(result.state)) agree(`state ${name}`, tensor);
  for (const [name, tensor] of Object.entries(result.parameters)) {
    expect(tensor.shape).toEqual(model.parameters()[name]!.shape);
    agree(`d.${name}`, tensor);
  }
  for (const [name, tensor] of Object.entries(result.inputs)) {
    expect(tensor.shape).toEqual(inputs[name]!.shape);
    agree(`d.input ${name}`, tensor);
  }
  for (const [name, tensor] of Object.entries(result.initialState)) agree(`d.state ${name}`, tensor);
  expect(Object.keys(result.initialState)).toEqual([...states.keys()]);
  return result;
}

describe("against the oracle's adjoint", () => {
  it.each([
    ["forward", stack(recurrent(lstm, { inputSize: I, hiddenSize: H }))],
    ["reverse", stack(recurrent(gru, { inputSize: I, hiddenSize: H, reverse: true }), activation(tanh))],
    ["a projected state", stack(recurrent(lstmp({ projectionSize: 2 }), { inputSize: I, hiddenSize: H }))],
    [
      "two bidirectional layers and a dense one",
      stack(
        recurrent(gru, { inputSize: I, hiddenSize: H, layers: 2, bidirectional: true, merge: "mul" }),
        dense({ inputSize: H, outputSize: 2 }),
      ),
    ],
    [
      "layer normalisation",
      stack(layerNorm({ size: I }), recurrent(gru, { inputSize: I, hiddenSize: H }), layerNorm({ size: H })),
    ],
    [
      "the last step",
      stack(
        recurrent(lstm, { inputSize: I, hiddenSize: H, bidirectional: true }),
        last,
        dense({ inputSize: 2 * H, outputSize: 2 }),
      ),
    ],
    ["no layer at all", network({ x: I }, ({ x: v }) => tanh(v).times(v))],
    [
      "several outputs, one of them twice",
      network({ x: I }, ({ x: v }) => {
        const h = recurrent(lstm, { inputSize: I, hiddenSize: H })(v);
        return { h, again: h, last: last(h), y: dense({ inputSize: H + I, outputSize: 2 })(concat(h, v)) };
      }),
    ],
    [
      "a layer used twice",
      network({ x: I }, ({ x: v }) => {
        const shared = recurrent(gru, { inputSize: I, hiddenSize: I });
        return shared(tanh(shared(v)));
      }),
    ],
  ] as const)("%s", (_, net) => {
    check(net, { x });
    check(net, { x }, { lengths });
  });

  it("several inputs", () => {
    const net = network({ a: 2, b: 3, c: 1 }, ({ a, b, c }) =>
      recurrent(lstm, { inputSize: 5, hiddenSize: H })(concat(a, b)).times(c),
    );
    const { input, inputs } = check(net, { a: draw(T, B, 2), b: draw(T, B, 3), c: draw(T, B, 1) });
    expect(Object.keys(inputs)).toEqual(["a", "b", "c"]);
    expect(input).toBe(inputs["a"]);
  });

  it("ids have none, their table has", () => {
    const net = stack(
      embedding({ vocabularySize: 6, outputSize: I }),
      recurrent(gru, { inputSize: I, hiddenSize: H }),
    );
    const ids = { shape: [T, B, 1], data: Float32Array.from({ length: T * B }, (_, i) => (i * i) % 5) };
    const { input, inputs, parameters } = check(net, { x: ids });
    expect([input, inputs]).toEqual([undefined, {}]);
    // 5 is never looked up.
    expect(parameters["0.W"]!.data.slice(5 * I).every((v) => v === 0)).toBe(true);
    check(net, { x: ids }, { lengths });
  });
});

it.each([0, 0.4])(
  "against central differences of the oracle's loss, entry by entry; recurrent dropout of %s",
  (p) => {
    const net = stack(
      recurrent(lstm, { inputSize: 2, hiddenSize: 2, bidirectional: true, recurrentDropout: p }),
      dense({ inputSize: 4, outputSize: 1 }),
    );
    const model = open(net);
    const [steps, batch] = [3, 2];
    const graph = net.build({ dropout: true });
    const masks = new Map<string, Float32Array>();
    drawMasks(graph.dropouts, { steps, batch, inputs: masks, states: masks }, random(6));
    expect([...masks.values()].some((mask) => mask.includes(0) && mask.includes(1))).toBe(p > 0);
    const seeds = { output: draw(steps, batch, 1), "0.l0.c": draw(batch, 2) };
    const point: Record<string, Tensor> = {
      ...model.parameters(),
      x: draw(steps, batch, 2),
      "0.l0.h": draw(batch, 2),
      "0.l0.reverse.c": draw(batch, 2),
    };
    const loss = (at: Readonly<Record<string, ArrayLike<number>>>): number => {
      const given = {
        steps,
        batch,
        parameters: at,
        inputs: { ...at, ...Object.fromEntries(masks) },
        states: at,
      };
      const c = graph.states.get("0.l0.c")!;
      const output = graph.outputs.get("output")!;
      const found = evaluate(graph, [output, graph.next.get(c)!], given);
      const dot = (a: Float64Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
      return (
        dot(found.get(output)!.data, seeds.output.data) +
        dot(finalState(graph, c, found, given).data, seeds["0.l0.c"].data)
      );
    };
    const { parameters, input, initialState } = gradientSync(
      model,
      point["x"]!,
      { output: seeds.output, state: { "0.l0.c": seeds["0.l0.c"] } },
      { state: { "0.l0.h": point["0.l0.h"]!, "0.l0.reverse.c": point["0.l0.reverse.c"]! }, dropoutSeed: 6 },
    );
    const gradients: Tensors = { ...parameters, x: input!, ...initialState };

    const all = Object.fromEntries(
      Object.entries(point).map(([name, { data }]) => [name, Float64Array.from(data)]),
    );
    const epsilon = 1e-4;
    for (const [name, values] of Object.entries(all))
      values.forEach((value, i) => {
        const shifted = (by: number): number => {
          values[i] = value + by;
          const found = loss(all);
          values[i] = value;
          return found;
        };
        const difference = (shifted(epsilon) - shifted(-epsilon)) / (2 * epsilon);
        // The difference is right to about ε² = 1e-8, and float32 to 6e-8 of each of some tens of terms of about 1.
        expect(Math.abs(gradients[name]!.data[i]! - difference), `${name}[${i}]`).toBeLessThan(1e-5);
      });
  },
);

describe("beside the gradient", () => {
  const net = stack(
    recurrent(slstm(), { inputSize: I, hiddenSize: H }),
    dense({ inputSize: H, outputSize: 2 }),
  );
  const seed = draw(T, B, 2);

  it("outputs and states are those of a run, bit for bit", () => {
    for (const options of [{}, { lengths }]) {
      const { outputs, state } = gradientSync(open(net), x, { output: seed }, options);
      expect({ outputs, state }).toEqual(
        (({ outputs: o, state: s }) => ({ outputs: o, state: s }))(open(net).runSync(x, options)),
      );
    }
  });

  it("the model stays as it was", () => {
    const model = open(net);
    const [before, run] = [model.parameters(), model.runSync(x)];
    gradientSync(model, x, { output: seed });
    expect(model.parameters()).toEqual(before);
    expect(model.runSync(x)).toEqual(run);
  });

  it("what isn't given counts as 0", () => {
    const zero: LossGradient = { output: { shape: [T, B, 2], data: new Float32Array(T * B * 2) } };
    const { parameters, input } = gradientSync(open(net), x, {});
    expect({ parameters, input }).toEqual(
      (({ parameters: p, input: i }) => ({ parameters: p, input: i }))(gradientSync(open(net), x, zero)),
    );
    expect(input!.data.every((v) => v === 0)).toBe(true);
  });

  it("a parameter that the loss doesn't depend on has gradient 0", () => {
    const unused = network({ x: I }, ({ x: v }) => {
      recurrent(gru, { inputSize: I, hiddenSize: H, name: "idle" })(v);
      return dense({ inputSize: I, outputSize: 2, name: "used" })(v);
    });
    const { parameters } = gradientSync(open(unused), x, { output: seed });
    expect(parameters["idle.U.z"]).toEqual({ shape: [H, H], data: new Float32Array(H * H) });
    expect(parameters["used.W"]!.data.some((v) => v !== 0)).toBe(true);
  });

  it("what lies past a row's end changes nothing, NaN neither", () => {
    const spoil = ({ shape, data }: Tensor): Tensor => ({
      shape,
      data: data.map((v, i) =>
        Math.floor(i / (B * shape[2]!)) < lengths[Math.floor(i / shape[2]!) % B]! ? v : NaN,
      ),
    });
    const clean = gradientSync(open(net), x, { output: seed }, { lengths });
    expect(gradientSync(open(net), spoil(x), { output: spoil(seed) }, { lengths })).toEqual(clean);
  });

  it("infinite slopes past a row's end reach no gradient", () => {
    const unit = cell({
      name: "unit",
      state: ["h"],
      W: ["a"],
      U: ["a"],
      step({ x: v, h, W, U }) {
        const a = W.a.dot(v).plus(U.a.dot(h));
        return { h: a.over(sqrt(rowSum(a.times(a)))) };
      },
    });
    for (const rooted of [
      stack(dense({ inputSize: I, outputSize: H }), (v) => sqrt(relu(v))),
      stack(recurrent(unit, { inputSize: I, hiddenSize: H })),
    ]) {
      const model = open(rooted);
      const positive = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.map((v) => 1 + v / 2) });
      const weights = Object.entries(model.parameters()).map(([name, p]) => [
        name,
        name.endsWith("b") ? { shape: p.shape, data: p.data.map(() => 0) } : positive(p),
      ]);
      model.setParameters(Object.fromEntries(weights) as Tensors);
      const { parameters, input } = gradientSync(model, positive(x), { output: draw(T, B, H) }, { lengths });
      for (const { data } of [...Object.values(parameters), input!])
        expect(data.every(Number.isFinite)).toBe(true);
    }
  });

  it("batchFirst exchanges time and batch", () => {
    const clean = gradientSync(open(net), x, { output: seed });
    const { output, input, parameters } = gradientSync(
      open(net),
      batchFirst(x),
      { output: batchFirst(seed) },
      { batchFirst: true },
    );
    expect({ output, input, parameters }).toEqual({
      output: batchFirst(clean.output),
      input: batchFirst(clean.input!),
      parameters: clean.parameters,
    });
  });
});

describe("dropout", () => {
  const p = 0.4;
  const wide = network({ x: 50 }, ({ x: v }) => dropout(p)(v));
  const ones = { shape: [20, 10, 50], data: new Float32Array(10000).fill(1) };
  const run = (options: GradientOptions = {}): GradientResult =>
    gradientSync(open(wide), ones, { output: ones }, options);

  it("drops nothing without a seed", () => expect(run().output).toEqual(ones));

  it("drops with its probability, and scales the rest to keep the mean", () => {
    const { data } = run({ dropoutSeed: 1 }).output;
    const kept = data.filter((v) => v !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / (1 - p))]));
    // Four standard deviations of a binomial share.
    expect(Math.abs(kept.length / data.length - (1 - p))).toBeLessThan(
      4 * Math.sqrt((p * (1 - p)) / data.length),
    );
  });

  it("is the same for the same seed, and another for another", () => {
    expect(run({ dropoutSeed: 3 })).toEqual(run({ dropoutSeed: 3 }));
    expect(run({ dropoutSeed: 3 }).output).not.toEqual(run({ dropoutSeed: 4 }).output);
  });

  it("lets the gradient through where it let the value through", () => {
    const { output, input } = run({ dropoutSeed: 5 });
    expect(input!.data).toEqual(output.data);
  });

  it.each([lstm, gru, gruResetBefore, lstmp({ projectionSize: 2 })])(
    "of the state, the same at every step: the gradient of what was computed, $name",
    (cell) => {
      const model = open(
        network({ x: I }, ({ x: v }) =>
          recurrent(cell, { inputSize: I, hiddenSize: H, bidirectional: true, recurrentDropout: 0.5 })(v),
        ),
      );
      for (const ends of [undefined, lengths]) {
        const { outputs } = model.engine.graph;
        const seeds = { output: draw(T, B, outputs.get("output")!.width) };
        const options = { ...(ends && { lengths: ends }), dropoutSeed: 5 };
        const result = gradientSync(model, x, { outputs: seeds }, options);
        // The masks are those of the seed: two of them, in the order of the graph.
        const masks = new Map<string, Float32Array>();
        const { dropouts } = model.engine.network.build({ masked: ends !== undefined, dropout: true });
        const call = { steps: T, batch: B, inputs: masks, states: new Map<string, Float32Array>() };
        drawMasks(dropouts, call, random(5));
        expect([...masks.keys()]).toEqual(["dropout 0.l0", "dropout 0.l0.reverse"]);
        for (const mask of masks.values()) {
          const first = mask.subarray(0, mask.length / T);
          expect(new Set(first)).toEqual(new Set([0, 1]));
          for (let t = 1; t < T; t++)
            expect(mask.subarray(t * first.length, (t + 1) * first.length)).toEqual(first);
        }
        const agree = expected(model, {
          inputs: { x },
          seeds,
          masks: Object.fromEntries(masks),
          ...(ends && { lengths: ends }),
        });
        agree("output output", result.output);
        for (const [name, tensor] of Object.entries(result.parameters)) agree(`d.${name}`, tensor);
        agree("d.input x", result.input);
        expect(result).not.toEqual(gradientSync(model, x, { outputs: seeds }, ends ? { lengths: ends } : {}));
      }
    },
  );

  it.each([undefined, lengths])(
    "in front of and between layers: the gradient of what was computed; lengths %s",
    (ends) => {
      const net = network({ x: I }, ({ x: v }) => {
        const first = dropout(0.3)(v.plus(2));
        const second = dropout(0.5)(recurrent(lstm, { inputSize: I, hiddenSize: H })(first).plus(2));
        return { y: recurrent(gru, { inputSize: H, hiddenSize: H })(second), first, second };
      });
      const model = open(net);
      const seeds = { y: draw(T, B, H), first: draw(T, B, I), second: draw(T, B, H) };
      const options = ends ? { lengths: ends } : {};
      const result = gradientSync(model, x, { outputs: seeds }, { ...options, dropoutSeed: 11 });
      // No value is 0 unless it was dropped (or lies past its row's end, where all are).
      const mask = ({ data }: Tensor): Float32Array => data.map((v) => Number(v !== 0));
      const masks = {
        "dropout.0": mask(result.outputs["first"]!),
        "dropout.1": mask(result.outputs["second"]!),
      };
      expect(masks["dropout.0"]).toContain(0);
      const agree = expected(model, { inputs: { x }, seeds, masks, ...options });
      for (const [name, tensor] of Object.entries(result.outputs)) agree(`output ${name}`, tensor);
      for (const [name, tensor] of Object.entries(result.parameters)) agree(`d.${name}`, tensor);
      agree("d.input x", result.input);
    },
  );
});

type Parts = Record<"Wx" | "Uh" | "b", Expr>;

it.each<[string, (parts: Parts) => Expr, inputs: number, biases: number]>([
  ["a bias", ({ Wx, Uh, b }) => Wx.plus(b, Uh, b), 1, 2],
  ["a product", ({ Wx, Uh, b }) => Wx.plus(b, Uh, Wx), 2, 1],
  ["a sum", ({ Wx, Uh, b }) => Wx.plus(b).plus(Uh, Wx.plus(b)), 2, 2],
  ["a pointwise value", ({ Wx, Uh, b }) => Wx.plus(b.times(0.5), Uh, b.times(0.5)), 1, 1],
])("%s that is added twice counts twice", (_, sum, inputs, biases) => {
  const twice = cell({
    name: "twice",
    state: ["h"],
    W: ["a"],
    U: ["a"],
    b: ["a"],
    step: ({ x: v, h, W, U, b }) => ({ h: sum({ Wx: W.a.dot(v), Uh: U.a.dot(h), b: b.a }) }),
  });
  const tensor = (shape: readonly number[], ...data: number[]): Tensor => ({
    shape,
    data: Float32Array.from(data),
  });
  const model = open(stack(recurrent(twice, { inputSize: 1, hiddenSize: 1 })));
  model.setParameters({ "0.W.a": tensor([1, 1], 2), "0.U.a": tensor([1, 1], 3), "0.b.a": tensor([1], 5) });
  const first = 2 * inputs + 5 * biases;
  const found = gradientSync(model, tensor([2, 1, 1], 1, 1), { output: tensor([2, 1, 1], 0, 1) });
  expect([...found.output.data]).toEqual([first, first + 3 * first]);
  // Of the second step alone: (1 + 3) · (2 inputs + 5 biases).
  expect([...found.parameters["0.W.a"]!.data, ...found.parameters["0.b.a"]!.data]).toEqual([
    4 * inputs,
    4 * biases,
  ]);
});
