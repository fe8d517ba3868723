/** The composed activations against ONNX's formulas, in plain numbers. */
import { expect, test } from "vitest";
import * as activations from "../src/activations.ts";
import { network } from "../src/network.ts";
import { evaluate } from "../src/oracle.ts";

const { affine, elu, hardSigmoid, leakyRelu, oneMinus, scaledTanh, softsign, thresholdedRelu } = activations;

const table: readonly [string, activations.Activation, (x: number) => number][] = [
  ["oneMinus", oneMinus, (x) => 1 - x],
  ["softsign", softsign, (x) => x / (1 + Math.abs(x))],
  ["affine()", affine(), (x) => x],
  ["affine", affine({ alpha: -2, beta: 0.25 }), (x) => -2 * x + 0.25],
  ["scaledTanh", scaledTanh({ alpha: 1.7159, beta: 2 / 3 }), (x) => 1.7159 * Math.tanh((2 / 3) * x)],
  ["hardSigmoid()", hardSigmoid(), (x) => Math.max(0, Math.min(1, 0.2 * x + 0.5))],
  ["hardSigmoid", hardSigmoid({ alpha: 1 / 6, beta: 0.4 }), (x) => Math.max(0, Math.min(1, x / 6 + 0.4))],
  ["leakyRelu()", leakyRelu(), (x) => (x >= 0 ? x : 0.01 * x)],
  ["leakyRelu", leakyRelu({ alpha: 0.5 }), (x) => (x >= 0 ? x : 0.5 * x)],
  ["thresholdedRelu()", thresholdedRelu(), (x) => (x >= 1 ? x : 0)],
  ["thresholdedRelu", thresholdedRelu({ alpha: 0.5 }), (x) => (x >= 0.5 ? x : 0)],
  ["elu()", elu(), (x) => (x >= 0 ? x : Math.exp(x) - 1)],
  ["elu", elu({ alpha: 0.3 }), (x) => (x >= 0 ? x : 0.3 * (Math.exp(x) - 1))],
];

/** Kinks, values around them, and values where exp would overflow. */
const x = [-1e4, -800, -88, -3, -2.5, -1, -0.5, -1e-3, -0, 0, 1e-3, 0.5, 1, 2.4, 2.5, 3, 88, 800, 1e4];

test.each(table)("%s", (_, activation, formula) => {
  const graph = network({ x: x.length }, ({ x }) => activation(x)).build();
  const output = graph.outputs.get("output")!;
  const got = evaluate(graph, [output], { steps: 1, batch: 1, inputs: { x } }).get(output)!.data;
  for (const [i, value] of x.entries()) expect(got[i], `at ${value}`).toBeCloseTo(formula(value), 12);
});

test("every activation is tested", () => {
  expect([...new Set(table.map(([name]) => name.replace("()", "")))].sort()).toEqual(
    Object.keys(activations).sort(),
  );
});
