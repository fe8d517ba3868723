import { readFileSync } from "node:fs";
import type { Accuracy } from "@recurra/core";
import { endToEnd } from "@recurra/core/internal";
import { describe, expect, test } from "vitest";
import { questionOf } from "../src/expected.ts";
import { type EncodedArray, type Fixture, fromNumpyClass } from "../src/numpy-class.ts";
import { readFixture } from "../src/read-data.ts";
import { workloads } from "../src/workloads.ts";

function encode(shape: number[], values: Float32Array | Float64Array): EncodedArray {
  const dtype = values instanceof Float32Array ? "float32" : "float64";
  return { shape, dtype, data: Buffer.from(values.buffer).toString("base64") };
}

/** One step of a network 1 → 2 → 1, every parameter with a value of its own. */
function tiny(): Fixture {
  const matrix = (first: number) =>
    encode(
      [3, 2],
      Float32Array.from({ length: 6 }, (_, k) => first + k),
    );
  const parameters: Record<string, EncodedArray> = {
    Wy: encode([2, 1], Float32Array.of(51, 52)),
    by: encode([1], Float32Array.of(61)),
  };
  for (const [gate, first] of Object.entries({ f: 10, i: 20, c: 30, o: 40 })) {
    parameters[`W${gate}`] = matrix(first);
    parameters[`b${gate}`] = encode([2], Float32Array.of(-first, -first - 1));
  }
  const gates = Object.fromEntries(
    ["f", "i", "c_bar", "c", "o", "h"].map((name, k) => [name, encode([1, 2], Float64Array.of(k, k + 0.5))]),
  );
  return {
    about: "",
    parameters,
    gates,
    x: encode([1, 1], Float32Array.of(1)),
    y: encode([1, 1], Float64Array.of(7)),
  };
}

describe("fromNumpyClass", () => {
  test("splits W over [h, x] into U and W, transposed, and renames the gates", () => {
    const { parameters } = fromNumpyClass(tiny());
    const plain = Object.fromEntries(
      Object.entries(parameters).map(([name, { shape, data }]) => [name, [shape, [...data]]]),
    );
    expect(plain).toEqual({
      "0.U.f": [
        [2, 2],
        [10, 12, 11, 13],
      ],
      "0.W.f": [
        [2, 1],
        [14, 15],
      ],
      "0.b.f": [[2], [-10, -11]],
      "0.U.i": [
        [2, 2],
        [20, 22, 21, 23],
      ],
      "0.W.i": [
        [2, 1],
        [24, 25],
      ],
      "0.b.i": [[2], [-20, -21]],
      "0.U.g": [
        [2, 2],
        [30, 32, 31, 33],
      ],
      "0.W.g": [
        [2, 1],
        [34, 35],
      ],
      "0.b.g": [[2], [-30, -31]],
      "0.U.o": [
        [2, 2],
        [40, 42, 41, 43],
      ],
      "0.W.o": [
        [2, 1],
        [44, 45],
      ],
      "0.b.o": [[2], [-40, -41]],
      "1.W": [
        [1, 2],
        [51, 52],
      ],
      "1.b": [[1], [61]],
    });
  });

  test("names the gates as a trace does", () => {
    const { expected } = fromNumpyClass(tiny());
    expect(Object.entries(expected).map(([name, values]) => [name, values[0]])).toEqual([
      ["output", 7],
      ["0.f", 0],
      ["0.i", 1],
      ["0.g", 2],
      ["0.c", 3],
      ["0.o", 4],
      ["0.h", 5],
    ]);
  });

  test("says what is wrong with a fixture", () => {
    const good = tiny();
    const { Wf, ...rest } = good.parameters;
    expect(() => fromNumpyClass({ ...good, parameters: rest })).toThrow("fixture: no array Wf; it has Wy");
    const flat = { ...Wf!, shape: [6] };
    expect(() => fromNumpyClass({ ...good, parameters: { ...rest, Wf: flat } })).toThrow(
      "expected Wf to be a matrix",
    );
    const narrow = { ...Wf!, shape: [2, 3] };
    expect(() => fromNumpyClass({ ...good, parameters: { ...rest, Wf: narrow } })).toThrow(
      "Wf: expected [4, 3]",
    );
    const cut = { ...Wf!, data: Wf!.data.slice(0, -8) };
    expect(() => fromNumpyClass({ ...good, parameters: { ...rest, Wf: cut } })).toThrow(
      "expected 6 values of float32",
    );
    expect(() => fromNumpyClass({ ...good, y: good.x })).toThrow("expected 1 values of float64");
  });
});

/** numpy's arithmetic: float64, its exp and its tanh good to an ulp. */
const unit = 2 ** -53;
const float64: Accuracy = {
  unit,
  accumulate: unit,
  functions: {
    // An exp, a sum and a division.
    sigmoid: { relative: 4 * unit, absolute: 0 },
    tanh: { relative: 2 * unit, absolute: 0 },
  },
  nan: true,
  subnormals: true,
  batchExact: true,
};

test.each(["seed", "co2"])("numpy's y and every gate on %s are the oracle's", (name) => {
  const workload = workloads.find((workload) => workload.name === name)!;
  const { graph, wanted, inputs } = questionOf(workload, "forward");
  const found = endToEnd(graph, Object.values(wanted), inputs, float64)!;
  const numpy = fromNumpyClass(readFixture(workload.fixture!)).expected;
  expect(Object.keys(wanted).sort()).toEqual(Object.keys(numpy).sort());
  for (const [name, node] of Object.entries(wanted)) {
    const { expected, tolerance } = found.get(node)!;
    expect(numpy[name], name).toHaveLength(expected.length);
    const worst = expected.reduce((worst, value, k) => {
      return Math.max(worst, Math.abs(numpy[name]![k]! - value) / Math.max(1, Math.abs(value)));
    }, 0);
    expect(worst, name).toBeLessThan(tolerance);
  }
});

test("seed.json is 50 steps of 10 → 20 → 5", () => {
  const { parameters, x } = fromNumpyClass(readFixture("seed.json"));
  expect(x.shape).toEqual([50, 1, 10]);
  expect(parameters["0.U.i"]!.shape).toEqual([20, 20]);
  expect(parameters["1.W"]!.shape).toEqual([5, 20]);
});

test("co2.json is the network of seed.json over windows of the 741 standardised months", () => {
  const csv = readFileSync(new URL("../fixtures/co2-concentration.csv", import.meta.url), "utf8");
  const values = csv
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => Number(line.split(",")[1]));
  expect(values).toHaveLength(741);
  const mean = values.reduce((a, b) => a + b) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);

  const { parameters, x } = fromNumpyClass(readFixture("co2.json"));
  expect(parameters).toEqual(fromNumpyClass(readFixture("seed.json")).parameters);
  expect(x.shape).toEqual([732, 1, 10]);
  x.data.forEach((value, index) => {
    const month = Math.floor(index / 10) + (index % 10);
    expect(Math.abs(value - (values[month]! - mean) / deviation)).toBeLessThan(1e-6);
  });
});
