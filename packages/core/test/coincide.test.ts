/**
 * Equations in which something is shared: one bias for two gates, one matrix on a parameter and on a sequence, a layer applied to a
 * sequence and to its last row, a next state that is only passed on. Results are worked out by hand, at width 1.
 */
import { expect, it } from "vitest";
import {
  cell, createModel, dense, gradientSync, last, matrix, network, recurrent, sigmoid, stack, tanh, vector,
  type Cell, type Network, type Tensor,
} from "../src/index.ts"; // prettier-ignore
import { openPlain } from "./support/plain-backend.ts";

const tensor = (shape: readonly number[], ...data: number[]): Tensor => ({ shape, data: Float32Array.from(data) }); // prettier-ignore
/** [T, B, 1]. */
const rows = (T: number, ...data: number[]): Tensor => tensor([T, data.length / T, 1], ...data);
const of = (c: Cell, layers = 1): Network => stack(recurrent(c, { inputSize: 1, hiddenSize: 1, layers }));
/** @param weights those that aren't 1 */
function modelOf(net: Network, weights: Readonly<Record<string, number>> = {}) {
  const model = createModel(net, openPlain());
  const value = (name: string): number => weights[name.replace(/^0\./, "")] ?? 1;
  model.setParameters(
    Object.fromEntries(
      Object.entries(model.parameters()).map(([name, { shape }]) => [name, tensor(shape, value(name))]),
    ),
  );
  return model;
}
/** Up to eight roundings to float32: none of these takes more. */
const close = (found: Tensor | undefined, ...expected: number[]): void => {
  expect(found?.data.length).toBe(expected.length);
  expected.forEach((e, i) =>
    expect(
      Math.abs((found?.data[i] as number) - e),
      `${found?.data.join()} for ${expected.join()}`,
    ).toBeLessThanOrEqual((8 * Math.max(1, Math.abs(e))) / 2 ** 24),
  );
};
const logistic = (v: number): number => 1 / (1 + Math.exp(-v));

it.each([[["k"]], [["k", "z"]]])("one bias for two gates, of the biases %j", (b) => {
  const shared = cell({
    name: "shared", state: ["h"], W: ["i", "f"], b,
    step: ({ x, W, b: { k } }) => ({
      h: sigmoid(W.i.dot(x).plus(k!)).plus(sigmoid(W.f.dot(x).plus(k!)).times(10)),
    }),
  }); // prettier-ignore
  const model = modelOf(of(shared), { "W.i": 0, "W.f": 0, "b.k": 2, "b.z": 5 });
  close(model.runSync(rows(1, 1)).output, 11 * logistic(2));
});

it("traced sums whose biases lie in another order than their matrices", () => {
  const traced = cell({
    name: "traced", state: ["h"], W: ["i", "f"], b: ["f", "i"],
    step({ x, h, W, b }) {
      const [a, f] = [W.i.dot(x).plus(b.i), W.f.dot(x).plus(b.f)];
      return { h: tanh(a.times(f)).plus(h.times(0)), a, f };
    },
  }); // prettier-ignore
  const model = modelOf(of(traced), { "W.i": 0, "W.f": 0, "b.i": 0.5 });
  const { output, trace } = model.runSync(rows(1, 1), { trace: true });
  close(output, Math.tanh(0.5));
  close(trace["0.a"], 0.5);
  close(trace["0.f"], 1);
});

it("traced sums with pointwise addends of their own", () => {
  const traced = cell({
    name: "traced", state: ["h"], W: ["n"], U: ["i", "f"],
    step({ x, h, W, U }) {
      const n = W.n.dot(x);
      const [a, f] = [U.i.dot(h).plus(tanh(n)), U.f.dot(h).plus(sigmoid(n))];
      return { h: a.plus(f), a, f };
    },
  }); // prettier-ignore
  const { trace } = modelOf(of(traced)).runSync(rows(1, 2), { trace: true });
  close(trace["0.a"], Math.tanh(2));
  close(trace["0.f"], logistic(2));
});

it("a dense layer on a sequence and on its last row", () => {
  const head = dense({ inputSize: 1, outputSize: 1, name: "d" });
  const model = modelOf(network({ x: 1 }, ({ x }) => ({ a: head(x), b: head(last(x)) })));
  const ones = { outputs: { a: rows(3, 1, 1, 1), b: tensor([1, 1], 1) } };
  const { parameters } = gradientSync(model, rows(3, 1, 2, 3), ones);
  close(parameters["d.W"], 1 + 2 + 3 + 3);
  close(parameters["d.b"], 4);
});

const M = matrix("H", "H");
const p = vector("H");

it("a matrix on a parameter and on a sequence", () => {
  const both = cell({
    name: "both", state: ["h"], weights: { M, p },
    step: ({ x, M: m, p: q }) => ({ h: m.dot(x).plus(m.dot(q).times(x)) }),
  }); // prettier-ignore
  const { parameters } = gradientSync(modelOf(of(both), { p: 2 }), rows(3, 1, 2, 3), {
    output: rows(3, 1, 1, 1),
  });
  close(parameters["0.M"], 6 + 2 * 6);
});

it("a parameter in a product and beside it", () => {
  const both = cell({
    name: "both", state: ["h"], weights: { M, p },
    step: ({ x, M: m, p: q }) => ({ h: m.dot(q).plus(q.times(x)) }),
  }); // prettier-ignore
  const { parameters } = gradientSync(modelOf(of(both), { M: 5 }), rows(3, 1, 2, 3), {
    output: rows(3, 1, 1, 1),
  });
  close(parameters["0.p"], 5 * 3 + 6);
});

it("a next state that is a sum of products of the input alone", () => {
  const passed = cell({
    name: "passed", state: ["h"], W: ["i"], b: ["i"],
    step: ({ x, W, b }) => ({ h: W.i.dot(x).plus(b.i) }),
  }); // prettier-ignore
  const { output, state } = modelOf(of(passed), { "b.i": 10 }).runSync(rows(3, 1, 2, 3, 4, 5, 6));
  close(output, 11, 12, 13, 14, 15, 16);
  close(state["0.h"], 15, 16);
});

it("the gradient of a next state that is a product of the input alone", () => {
  const passed = cell({
    name: "passed", state: ["h"], W: ["i"], U: ["a", "c"],
    step: ({ x, h, W, U }) => ({ h: W.i.dot(x), y: U.a.dot(h).plus(U.c.dot(h)) }),
  }); // prettier-ignore
  const found = gradientSync(modelOf(of(passed)), rows(3, 1, 10, 100), { output: rows(3, 1, 2, 3) });
  // yₜ = 2 xₜ₋₁, with seeds 2 and 3.
  close(found.parameters["0.W.i"], 2 * (2 * 1 + 3 * 10));
  close(found.input, 4, 6, 0);
});

it("a next state that follows from another next state", () => {
  const chained = cell({
    name: "chained", state: ["h", "s"], W: ["i"], weights: { M },
    step({ x, W, M: m }) {
      const h = tanh(W.i.dot(x));
      return { h, s: tanh(m.dot(h)) };
    },
  }); // prettier-ignore
  const { state } = modelOf(of(chained)).runSync(rows(2, 1, 2));
  close(state["0.h"], Math.tanh(2));
  close(state["0.s"], Math.tanh(Math.tanh(2)));
});

it("two layers that carry one value", () => {
  const carried = cell({
    name: "carried", state: ["h", "s"], weights: { p },
    step: ({ x, h, s, p: q }) => ({ h: q, s: tanh(x.plus(s)), y: h }),
  }); // prettier-ignore
  const twice = network({ x: 1 }, ({ x }) => {
    const layer = recurrent(carried, { inputSize: 1, hiddenSize: 1, name: "a" });
    return layer(layer(x));
  });
  const { output, parameters } = gradientSync(modelOf(twice, { "a.p": 3 }), rows(2, 1, 2), {
    output: rows(2, 1, 1),
  });
  close(output, 0, 3);
  close(parameters["a.p"], 1);
});

it("a traced gate that follows from parameters alone is there at every step", () => {
  const constant = cell({
    name: "constant", state: ["h"], U: ["i"], b: ["i"],
    step: ({ x, h, U, b }) => ({ h: h.times(sigmoid(U.i.dot(b.i))).plus(x) }),
  }); // prettier-ignore
  const { trace } = modelOf(of(constant), { "b.i": 0 }).runSync(rows(3, 1, 2, 3, 1, 2, 3), { trace: true });
  close(trace["0.i"], 0.5, 0.5, 0.5, 0.5, 0.5, 0.5);
});
