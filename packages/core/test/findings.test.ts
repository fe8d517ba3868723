/** Defects that an attack on the public API found, each with what should happen instead. */
import { expect, it } from "vitest";
import * as core from "../src/index.ts";
import { openPlain } from "./support/plain-backend.ts";
import { refuses } from "./support/refuses.ts";

const {
  cell,
  concat,
  createModel,
  dense,
  gradientSync,
  lstm,
  minLstm,
  network,
  recurrent,
  relu,
  rowSum,
  sqrt,
  stack,
  tanh,
} = core;
const tensor = (
  shape: readonly number[],
  value: (i: number) => number = (i) => Math.sin(i),
): core.Tensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
});
const sizes = { inputSize: 2, hiddenSize: 3 };
const finite = (t: core.Tensor | undefined): boolean => t !== undefined && t.data.every(Number.isFinite);

it.each([{}, { reverse: true }, { bidirectional: true }])(
  "no steps: empty results, states as they were (%j)",
  (options) => {
    const model = createModel(stack(recurrent(lstm, { ...sizes, ...options })), openPlain());
    const run = model.runSync(tensor([0, 2, 2]), { trace: true });
    expect(run.output.shape.slice(0, 2)).toEqual([0, 2]);
    expect(Object.values(run.trace).every((t) => t.data.length === 0)).toBe(true);
    expect(Object.values(run.state).every((t) => t.data.every((v) => v === 0))).toBe(true);
    const width = run.output.shape[2] as number;
    const { parameters } = gradientSync(model, tensor([0, 2, 2]), { output: tensor([0, 2, width]) });
    expect(Object.values(parameters).every((t) => t.data.every((v) => v === 0))).toBe(true);
  },
);

it("infinite slopes past a row's end reach no gradient", () => {
  const unit = cell({
    name: "unit", state: ["h"], W: ["a"], U: ["a"],
    step({ x, h, W, U }) {
      const v = W.a.dot(x).plus(U.a.dot(h));
      return { h: v.over(sqrt(rowSum(v.times(v)))) };
    },
  }); // prettier-ignore
  const networks = [
    stack(dense({ inputSize: 2, outputSize: 3 }), (v) => sqrt(relu(v))),
    stack(recurrent(unit, { inputSize: 2, hiddenSize: 3 })),
  ];
  for (const net of networks) {
    const parameters = Object.fromEntries(
      Object.entries(createModel(net, openPlain(), { seed: 3 }).parameters()).map(([name, { shape }]) => [
        name,
        tensor(shape, (i) => (name.endsWith("b") ? 0 : 0.5 + i / 10)),
      ]),
    );
    const model = createModel(net, openPlain(), { parameters });
    const [x, d] = [tensor([3, 3, 2], (i) => 1 + (i % 5)), tensor([3, 3, 3])];
    const ragged = gradientSync(model, x, { output: d }, { lengths: [3, 1, 0] });
    expect(Object.values(ragged.parameters).every(finite)).toBe(true);
    expect(finite(ragged.input)).toBe(true);
  }
});

type Parts = Record<"Wx" | "Uh" | "b", core.Expr>;

it.each<[string, (parts: Parts) => core.Expr, inputs: number, biases: number]>([
  ["a bias", ({ Wx, Uh, b }) => Wx.plus(b, Uh, b), 1, 2],
  ["a product", ({ Wx, Uh, b }) => Wx.plus(b, Uh, Wx), 2, 1],
  ["a sum", ({ Wx, Uh, b }) => Wx.plus(b).plus(Uh, Wx.plus(b)), 2, 2],
  ["a pointwise value", ({ Wx, Uh, b }) => Wx.plus(b.times(0.5), Uh, b.times(0.5)), 1, 1],
])("%s that is added twice counts twice", (_, sum, inputs, biases) => {
  const twice = cell({
    name: "twice", state: ["h"], W: ["a"], U: ["a"], b: ["a"],
    step: ({ x, h, W, U, b }) => ({ h: sum({ Wx: W.a.dot(x), Uh: U.a.dot(h), b: b.a }) }),
  }); // prettier-ignore
  const parameters = { "0.W.a": tensor([1, 1], () => 2), "0.U.a": tensor([1, 1], () => 3), "0.b.a": tensor([1], () => 5) }; // prettier-ignore
  const model = createModel(stack(recurrent(twice, { inputSize: 1, hiddenSize: 1 })), openPlain(), { parameters }); // prettier-ignore
  const first = 2 * inputs + 5 * biases;
  const found = gradientSync(
    model,
    tensor([2, 1, 1], () => 1),
    { output: tensor([2, 1, 1], (t) => t) },
  );
  expect([...found.output.data]).toEqual([first, first + 3 * first]);
  // Of the second step alone: (1 + 3) · (2 inputs + 5 biases).
  expect([...found.parameters["0.W.a"]!.data, ...found.parameters["0.b.a"]!.data]).toEqual([
    4 * inputs,
    4 * biases,
  ]);
});

it("minLSTM's gates don't divide nothing by nothing", () => {
  const model = createModel(stack(recurrent(minLstm, sizes)), openPlain(), { seed: 1 });
  const x = tensor([3, 4, 2], (i) => [-1e4, -104, 1e4, 0][i % 4] as number);
  const { output, parameters } = gradientSync(model, x, { output: tensor([3, 4, 3]) });
  expect(finite(output)).toBe(true);
  expect(Object.values(parameters).every(finite)).toBe(true);
});

it("an output, a state or a trace that follows from parameters alone has a row for every step", () => {
  const odd = cell({
    name: "odd", state: ["h", "s"], W: ["a"], b: ["a", "k"],
    step: ({ x, W, b }) => ({ h: tanh(W.a.dot(x).plus(b.a)), s: tanh(b.k), y: b.k, doubled: b.k.times(2) }),
  }); // prettier-ignore
  const model = createModel(stack(recurrent(odd, sizes)), openPlain(), { seed: 2 });
  const { output, state, trace } = model.runSync(tensor([2, 2, 2]), { trace: true });
  const bias = model.parameters()["0.b.k"]?.data ?? [];
  const rows = [...bias, ...bias, ...bias, ...bias];
  expect([...output.data]).toEqual(rows);
  expect([...(trace["0.doubled"]?.data ?? [])]).toEqual(rows.map((v) => Math.fround(2 * v)));
  expect(state["0.s"]?.shape).toEqual([2, 3]);
  const { parameters } = gradientSync(model, tensor([2, 2, 2]), { output: tensor([2, 2, 3], () => 1) });
  expect([...(parameters["0.b.k"]?.data ?? [])]).toEqual([4, 4, 4]);
});

it("expressions of another network, and matrices as vectors, are refused", () => {
  let foreign: core.Expr | undefined;
  network({ q: 3 }, ({ q }) => (foreign = q));
  const other = foreign as core.Expr;
  type Step = Parameters<typeof build>[0];
  const build = (step: (v: { h: core.Expr; U: { a: core.Matrix } }) => unknown): core.Network =>
    stack(recurrent(cell({ name: "c", state: ["h"], U: ["a"], step: step as never }), sizes));
  const steps: Step[] = [
    () => ({ h: other }),
    ({ h }) => ({ h, y: other }),
    ({ h }) => ({ h: rowSum(concat(h, other)).plus(h) }),
    ({ U }) => ({ h: U.a.dot(other) }),
    ({ h, U }) => ({ h: h.plus(U.a as never) }),
    ({ U }) => ({ h: U.a }),
    () => ({ h: 5 }),
    () => undefined,
    ({ U }) => ({ h: U.a.dot(3 as never) }),
  ];
  for (const step of steps) refuses(() => build(step), "INVALID_ARGUMENT", /expected/);
});

it("misspelt options are refused", () => {
  const model = createModel(stack(recurrent(lstm, sizes)), openPlain());
  const [x, d] = [tensor([2, 2, 2]), tensor([2, 2, 3])];
  const as = (value: unknown): never => value as never;
  const calls: readonly (() => unknown)[] = [
    () => model.runSync(x, as({ lenghts: [1, 1] })),
    () => model.runSync(x, as({ ouput: "last" })),
    () => recurrent(lstm, as({ ...sizes, bidirectonal: true })),
    () => model.stream(as({ bacth: 3 })),
    () => createModel(stack(recurrent(lstm, sizes)), openPlain(), as({ sede: 3 })),
    () => gradientSync(model, x, as({ ouput: d })),
    () => gradientSync(model, x, as(d)),
    () => gradientSync(model, x, { output: d }, as({ dropoutseed: 3 })),
    () => cell(as({ name: "c", state: ["h"], wieghts: {}, step: () => ({}) })),
    () => dense(as({ inputSize: 2, outputSize: 2, bias: false })),
  ];
  for (const call of calls) refuses(call, "UNKNOWN_NAME", /expected options among/);
  for (const call of [
    () => model.runSync(x, as(null)),
    () => model.stream(as(null)),
    () => recurrent(lstm, as(undefined)),
  ])
    refuses(call, "INVALID_ARGUMENT", /expected options/);
});

it("initializers are checked, and names keep layers apart", () => {
  const make = (b: unknown): unknown =>
    createModel(
      stack(recurrent(lstm, { ...sizes, initializers: { b: b as core.Initializer } })),
      openPlain(),
    );
  refuses(() => make(core.constant(NaN)), "NON_FINITE", /initializer of 0\.b\.i/);
  for (const wrong of [() => Float32Array.of(1, 1), () => new Float32Array(4), () => undefined, 3])
    refuses(() => make(wrong), "INVALID_ARGUMENT", /initializer of 0\.b\.i/);
  refuses(() => stack(recurrent(lstm, { ...sizes, name: "a.l1" })), "INVALID_ARGUMENT", /names without dots/);
});

it("a stream sees the state before the step, at every step", () => {
  const late = cell({
    name: "late",
    state: ["h"],
    W: ["a"],
    U: ["a"],
    step: ({ x, h, W, U }) => ({ h: tanh(W.a.dot(x).plus(U.a.dot(h))), y: tanh(h) }),
  });
  const model = createModel(stack(recurrent(late, sizes)), openPlain(), { seed: 4 });
  const x = tensor([4, 1, 2]);
  const { output } = model.runSync(x);
  const stream = model.stream();
  const streamed = [0, 1, 2, 3].flatMap((t) => [
    ...(stream.step(x.data.slice(2 * t, 2 * t + 2)) as Float32Array),
  ]);
  expect(streamed).toEqual([...output.data]);
});

it("cells with options, and explain, say what they expect", () => {
  const model = createModel(stack(recurrent(lstm, sizes)), openPlain());
  const calls: readonly (() => unknown)[] = [
    () => core.lstmp(undefined as never),
    () => core.slstm(null as never),
    () => core.slstm({ forget: "constructor" as never }),
    () => core.explain(3 as never),
    () => core.explain(model, null as never),
  ];
  for (const call of calls) refuses(call, "INVALID_ARGUMENT", /expected/);
  refuses(() => core.explain(model, { typo: 1 } as never), "UNKNOWN_NAME", /expected options among/);
});

it("many steps of no rows aren't walked", () => {
  const model = createModel(stack(recurrent(lstm, sizes)), openPlain());
  expect(model.runSync({ shape: [1e7, 0, 2], data: new Float32Array(0) }).output.shape).toEqual([1e7, 0, 3]);
  expect(
    gradientSync(model, { shape: [1e7, 0, 2], data: new Float32Array(0) }, {}).parameters["0.b.i"]?.data,
  ).toEqual(new Float32Array(3));
});

it("a Map isn't a record of tensors", () => {
  const model = createModel(stack(recurrent(lstm, sizes)), openPlain());
  const map = new Map([["0.h", tensor([1, 3])]]) as never;
  refuses(() => model.setParameters(map), "INVALID_ARGUMENT", /got Map/);
  refuses(() => model.runSync(tensor([1, 1, 2]), { state: map }), "INVALID_ARGUMENT", /got Map/);
  refuses(() => model.stream().restore(map), "INVALID_ARGUMENT", /got Map/);
});
