/** Parameters: how they begin, and how they are listed, read and replaced. */
import { describe, expect, it } from "vitest";
import {
  constant,
  createModel,
  dense,
  embedding,
  glorot,
  gru,
  layerNorm,
  lstm,
  normal,
  orthogonal,
  recurrent,
  stack,
  uniform,
  type Initializer,
  type SyncModel,
  type Tensor,
} from "../src/index.ts";
import { random } from "../src/internal.ts";
import { numbers } from "./support/expected.ts";
import { openPlain } from "./support/plain-backend.ts";

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
const mean = (values: ArrayLike<number>): number => sum(values) / values.length;
function deviation(values: Float32Array): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((v) => (v - centre) ** 2)));
}

/** Within four standard errors, which a right one misses once in 16,000 seeds; the seed is fixed. */
function spreads(values: Float32Array, expected: number, kurtosis: number): void {
  expect(Math.abs(mean(values))).toBeLessThan((4 * expected) / Math.sqrt(values.length));
  expect(Math.abs(deviation(values) / expected - 1)).toBeLessThan(
    4 * Math.sqrt((kurtosis - 1) / (4 * values.length)),
  );
}
const [ofUniform, ofNormal] = [1.8, 3];

describe("initializers", () => {
  it("uniform: within its bound, evenly", () => {
    const values = uniform(0.25)(random(1), 100, 40);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.25);
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.249);
    spreads(values, 0.25 / Math.sqrt(3), ofUniform);
  });

  it("normal", () => {
    const values = normal(2)(random(1), 100, 40);
    spreads(values, 2, ofNormal);
    // A normal number is within one deviation with probability 0.6827.
    const within = values.filter((v) => Math.abs(v) < 2).length / values.length;
    expect(Math.abs(within - 0.6827)).toBeLessThan(4 * Math.sqrt((0.6827 * 0.3173) / values.length));
  });

  it("glorot: uniform in ±√(6 / (rows + columns))", () => {
    const values = glorot()(random(2), 30, 120);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(0.2));
    spreads(values, 0.2 / Math.sqrt(3), ofUniform);
  });

  it.each([
    [6, 6],
    [4, 9],
    [9, 4],
    [1, 5],
  ])("orthogonal %i × %i: rows (or columns) are orthonormal", (rows, columns) => {
    const gain = 1.5;
    const values = orthogonal(gain)(random(3), rows, columns);
    const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
    const at = (i: number, k: number): number =>
      rows <= columns ? values[i * columns + k]! : values[k * columns + i]!;
    for (let i = 0; i < count; i++)
      for (let j = 0; j < count; j++)
        expect(sum(Array.from({ length }, (_, k) => at(i, k) * at(j, k)))).toBeCloseTo(
          i === j ? gain * gain : 0,
          5,
        );
  });

  it("constant", () => expect([...constant(3)(random(1), 2, 2)]).toEqual([3, 3, 3, 3]));
});

describe("at the beginning", () => {
  const net = stack(
    recurrent(lstm, { inputSize: 3, hiddenSize: 16 }),
    dense({ inputSize: 16, outputSize: 2 }),
  );
  const parameters = (seed?: number): Record<string, Tensor> =>
    createModel(net, openPlain(), seed === undefined ? {} : { seed }).parameters();

  it("a seed says all", () => {
    expect(parameters(4)).toEqual(parameters(4));
    expect(parameters(4)["0.W.i"]).not.toEqual(parameters(5)["0.W.i"]);
    expect(parameters()).toEqual(parameters(0));
    expect(parameters(4)["0.W.i"]!.data).not.toEqual(parameters(4)["0.W.f"]!.data);
  });

  it("recurrent and dense layers are PyTorch's: uniform ±1/√hiddenSize, ±1/√inputSize", () => {
    for (const [name, { data }] of Object.entries(parameters(1))) {
      expect(Math.max(...data.map(Math.abs)), name).toBeLessThanOrEqual(1 / 4);
      expect(new Set(data).size, name).toBeGreaterThan(1);
    }
  });

  it("a layer's own initializers come first, by a parameter's name or its group's", () => {
    const own = stack(
      recurrent(lstm, {
        inputSize: 3,
        hiddenSize: 4,
        initializers: { "b.f": constant(1), b: constant(-1), U: orthogonal() },
      }),
    );
    const all = createModel(own, openPlain()).parameters();
    expect([...all["0.b.f"]!.data]).toEqual([1, 1, 1, 1]);
    expect([...all["0.b.o"]!.data]).toEqual([-1, -1, -1, -1]);
    const row = all["0.U.g"]!.data.slice(0, 4);
    expect(sum(row.map((v) => v * v))).toBeCloseTo(1, 6);
    expect(Math.max(...all["0.W.i"]!.data.map(Math.abs))).toBeLessThanOrEqual(0.5);
    expect(() =>
      stack(recurrent(lstm, { inputSize: 3, hiddenSize: 4, initializers: { "b.q": constant(1) } })),
    ).toThrow(/b\.q \(UNKNOWN_NAME\)/);
  });

  it("nothing is drawn when parameters are given", () => {
    const never: Initializer = () => {
      throw new Error("drawn");
    };
    const given = createModel(
      stack(recurrent(gru, { inputSize: 3, hiddenSize: 4 })),
      openPlain(),
    ).parameters();
    const guarded = stack(
      recurrent(gru, {
        inputSize: 3,
        hiddenSize: 4,
        initializers: { W: never, U: never, b: never, d: never },
      }),
    );
    expect(createModel(guarded, openPlain(), { parameters: given }).parameters()).toEqual(given);
    expect(() => createModel(guarded, openPlain())).toThrow("drawn");
  });
});

describe("by name", () => {
  const net = stack(
    embedding({ vocabularySize: 7, outputSize: 3 }),
    recurrent(gru, { inputSize: 3, hiddenSize: 4, layers: 2, bidirectional: true }),
    layerNorm({ size: 8 }),
    dense({ inputSize: 8, outputSize: 2 }),
  );
  const open = (seed: number): SyncModel => createModel(net, openPlain(), { seed });

  it("with their shapes, in the order of the network", () => {
    const shapes = Object.entries(open(1).parameters()).map(
      ([name, { shape }]) => `${name} [${shape.join(", ")}]`,
    );
    expect(shapes).toHaveLength(1 + 4 * 10 + 2 + 2);
    expect(shapes[0]).toBe("0.W [7, 3]");
    expect(shapes.slice(1, 11)).toEqual(
      [
        "W.r [4, 3]",
        "W.z [4, 3]",
        "W.n [4, 3]",
        "U.r [4, 4]",
        "U.z [4, 4]",
        "U.n [4, 4]",
        "b.r [4]",
        "b.z [4]",
        "b.n [4]",
        "d [4]",
      ].map((p) => `1.l0.${p}`),
    );
    expect(shapes).toContain("1.l1.reverse.W.n [4, 8]");
    expect(shapes.slice(-4)).toEqual(["2.gain [8]", "2.bias [8]", "3.W [2, 8]", "3.b [2]"]);
  });

  it("in the order of the network, in whatever order they were given", () => {
    const all = open(1).parameters();
    const reversed = Object.fromEntries(Object.entries(all).reverse());
    const again = createModel(net, openPlain(), { parameters: reversed }).parameters();
    expect(Object.keys(again)).toEqual(Object.keys(all));
  });

  it("set what was got, and it is another model's twin", () => {
    const [a, b] = [open(1), open(2)];
    const x = { shape: [4, 2], data: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 0) };
    expect(b.runSync(x).output).not.toEqual(a.runSync(x).output);
    b.setParameters(a.parameters());
    expect(b.parameters()).toEqual(a.parameters());
    expect(b.runSync(x).output).toEqual(a.runSync(x).output);
    expect(createModel(net, openPlain(), { parameters: a.parameters() }).runSync(x).output).toEqual(
      a.runSync(x).output,
    );
  });

  it("some of them, and the others stay", () => {
    const model = open(1);
    const before = model.parameters();
    const W = numbers(9)(2, 8);
    model.setParameters({ "3.W": W });
    expect(model.parameters()).toEqual({ ...before, "3.W": W });
  });

  it("copies: writing into one changes nothing", () => {
    const model = open(1);
    const before = model.parameters();
    const given = numbers(9)(2, 8);
    model.setParameters({ "3.W": given });
    given.data.fill(0);
    model.parameters()["0.W"]!.data.fill(0);
    expect(model.parameters()["3.W"]!.data.some((v) => v !== 0)).toBe(true);
    expect(model.parameters()["0.W"]).toEqual(before["0.W"]);
  });

  it("a summary has a line a layer", () => {
    expect(open(1).summary()).toMatchInlineSnapshot(`
      "0: embedding → 3, 21 parameters
      1: gru → 8, 520 parameters
      2: layerNorm → 8, 16 parameters
      3: dense → 2, 18 parameters
      575 parameters on plain"
    `);
  });
});
