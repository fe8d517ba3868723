/** Weights in int8: products against whole numbers, and what models make of them. */
import { createModel, dense, embedding, gradientSync, gru, lstm, recurrent, stack } from "@recurra/core";
import { openCpu } from "@recurra/backend-cpu";
import { conformance, describeConformance } from "@recurra/conformance";
import { afterEach, describe, expect, it, test, vi } from "vitest";
import { numbers as draw } from "../../core/test/support/expected.ts";
import { openWasm } from "../src/index.ts";
import type * as Int8 from "../src/int8.ts";

describeConformance(
  { describe, it },
  "wasm(int8)",
  async () => (await openWasm({ int8: true })).weights!.int8,
  {
    scale: 0.3,
  },
);

const backend = await openWasm({ int8: true });

/** Seeded, in ±1. */
const numbers = (length: number, seed = 1): Float32Array => draw(seed)(length).data;

interface Rounded {
  readonly whole: readonly number[];
  readonly step: number;
}

/** A row of weights in whole steps. */
function weightsOf(row: Float32Array): Rounded {
  const step = Math.max(...row.map(Math.abs)) / 127;
  return { whole: [...row].map((w) => (step === 0 ? 0 : Math.round(w / step))), step };
}

const { fround } = Math;
/** To the nearest, and of two to the even one. */
const nearest = (x: number): number => fround(fround(x + 3 * 2 ** 22) - 3 * 2 ** 22);
/** A row of activations in whole steps: on the device in float32, which matters beside a tie. */
function activationsOf(row: Float32Array): Rounded {
  const largest = Math.max(...row.map(Math.abs));
  // Where that could overflow, the row is scaled up first.
  const up = largest < 2 ** -100 ? 2 ** 80 : 1;
  const scale = fround(8191 / (largest * up));
  return {
    whole: [...row].map((x) => (largest === 0 ? 0 : nearest(fround(x * up * scale)))),
    step: largest / 8191,
  };
}

interface Product {
  readonly rows: number;
  readonly depth: number;
  readonly width: number;
  readonly W?: Float32Array;
  readonly x?: Float32Array;
}

/** W·x + b of a dense layer in int8, and what it is in float64 on the rounded numbers. */
function product({ rows, depth, width, W = numbers(width * depth), x = numbers(rows * depth, 7) }: Product) {
  const b = numbers(width, 3);
  const network = stack(dense({ inputSize: depth, outputSize: width }));
  const parameters = { "0.W": { shape: [width, depth], data: W }, "0.b": { shape: [width], data: b } };
  const model = createModel(network, backend, { weights: "int8", parameters });
  const got = model.runSync({ shape: [1, rows, depth], data: x }).output.data;
  model.dispose();
  const matrix = Array.from({ length: width }, (_, j) => weightsOf(W.subarray(j * depth, (j + 1) * depth)));
  const expected = Float64Array.from({ length: rows * width }, (_, i) => {
    const [r, j] = [Math.floor(i / width), i % width];
    const { whole: q, step } = activationsOf(x.subarray(r * depth, (r + 1) * depth));
    const { whole: w, step: scale } = matrix[j]!;
    return b[j]! + q.reduce((sum, v, k) => sum + v * w[k]!, 0) * scale * step;
  });
  return { got, expected, W, x };
}

describe("a product is that of the rounded numbers", () => {
  const shapes = [1, 2, 3, 4, 5, 15, 16, 17, 64, 129].flatMap((depth) =>
    [1, 3, 4, 15, 16, 17, 33, 100].flatMap((width) =>
      [1, 2, 5, 17, 40].map((rows) => ({ rows, depth, width })),
    ),
  );
  test.each(shapes)("$rows · [$depth] by [$width, $depth]", (shape) => {
    const { got, expected } = product(shape);
    // Two factors, two products and a sum, each rounded to float32; the addend is below 1.
    for (const [i, value] of got.entries())
      expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(5 * 2 ** -24 * (Math.abs(expected[i]!) + 1));
  });
});

test("a sum deeper than 32 bits hold is done in stripes", () => {
  for (const sign of [1, -1]) {
    const depth = 5000;
    const W = new Float32Array(3 * depth).fill(sign * 0.5);
    const { got, expected } = product({
      rows: 2,
      depth,
      width: 3,
      W,
      x: new Float32Array(2 * depth).fill(0.25),
    });
    for (const [i, value] of got.entries())
      expect(Math.abs(value / expected[i]! - 1)).toBeLessThanOrEqual(12 * 2 ** -24);
  }
});

test("the largest steps don't overflow, at any depth of a stripe", () => {
  for (const depth of [2047, 2048, 2049]) {
    const { got } = product({
      rows: 1,
      depth,
      width: 1,
      W: new Float32Array(depth).fill(1),
      x: new Float32Array(depth).fill(1),
    });
    expect(Math.abs(got[0]! - (depth + numbers(1, 3)[0]!))).toBeLessThanOrEqual(6 * 2 ** -24 * depth);
  }
});

describe("numbers at the edges", () => {
  test("a row of weights that are 0 gives its addend", () => {
    const W = numbers(3 * 7).fill(0, 7, 14);
    expect(product({ rows: 1, depth: 7, width: 3, W }).got[1]).toBe(numbers(3, 3)[1]);
  });

  test("a row of zeros gives the addends", () => {
    expect(product({ rows: 1, depth: 7, width: 3, x: new Float32Array(7) }).got).toEqual(numbers(3, 3));
  });

  test.each([1e-45, 1e-40, 1e-30, 1e-20, 1e20, 1e30])("activations around %d keep their 14 bits", (size) => {
    const x = numbers(8, 7).map((v) => v * size);
    const W = numbers(8).map((v) => v / size);
    // Weights of 1e45 aren't finite: small ones are held by weights as large as there are.
    const held = W.every(Number.isFinite) ? W : numbers(8).map((v) => v * 1e38);
    const { got, expected } = product({ rows: 1, depth: 8, width: 1, W: held, x });
    const largest = Math.max(...x.map(Math.abs)) * Math.max(...held.map(Math.abs));
    expect(Math.abs(got[0]! - expected[0]!)).toBeLessThanOrEqual(8 * 2 ** -24 * Math.max(1, 8 * largest));
  });

  test.each([NaN, Infinity, -Infinity])("%d makes its own row NaN", (bad) => {
    const x = numbers(3 * 9, 7);
    const clean = product({ rows: 3, depth: 9, width: 5, x }).got;
    const network = stack(dense({ inputSize: 9, outputSize: 5 }));
    x[9 + 4] = bad;
    const parameters = {
      "0.W": { shape: [5, 9], data: numbers(45) },
      "0.b": { shape: [5], data: numbers(5, 3) },
    };
    const model = createModel(network, backend, { weights: "int8", parameters });
    const got = model.runSync({ shape: [1, 3, 9], data: x }).output.data;
    expect(got.subarray(5, 10).every(Number.isNaN)).toBe(true);
    expect([...got.subarray(0, 5), ...got.subarray(10)]).toEqual([
      ...clean.subarray(0, 5),
      ...clean.subarray(10),
    ]);
  });
});

describe.each([lstm, gru])("a model of $name", (cell) => {
  const network = stack(recurrent(cell, { inputSize: 64, hiddenSize: 128 }));
  const x = { shape: [3, 2, 64], data: numbers(3 * 2 * 64, 5) };

  test("is close to its float32 self, and has its parameters", () => {
    const [int8, float32] = (["int8", "float32"] as const).map((weights) =>
      createModel(network, backend, { weights, seed: 4 }),
    );
    expect(int8!.parameters()).toEqual(float32!.parameters());
    const [a, b] = [int8!, float32!].map((model) => model.runSync(x).output.data);
    const squares = a!.reduce((sum, v, i) => sum + (v - b![i]!) ** 2, 0);
    // What was asked of the format; the laws bound every element by how it rounds.
    expect(Math.sqrt(squares / a!.length)).toBeLessThan(1e-3);
    expect(a).not.toEqual(b);
    int8!.dispose();
    float32!.dispose();
  });

  test("takes new parameters", () => {
    const model = createModel(network, backend, { weights: "int8", seed: 4 });
    const other = createModel(network, backend, { weights: "int8", seed: 5 });
    const wanted = other.runSync(x).output.data;
    model.runSync(x);
    model.setParameters(other.parameters());
    expect(model.runSync(x).output.data).toEqual(wanted);
    model.dispose();
    other.dispose();
  });

  test("refuses a gradient, and says why", () => {
    const model = createModel(network, backend, { weights: "int8" });
    const { output } = model.runSync(x);
    expect(() => gradientSync(model, x, { output })).toThrow(/float32, got int8.*UNSUPPORTED/);
    model.dispose();
  });

  test("isn't made on a backend without int8", () => {
    expect(() => createModel(network, openCpu(), { weights: "int8" })).toThrow(
      /weights on cpu.*"float32".*"int8"/,
    );
  });

  test("leaves embeddings as they are", () => {
    const ids = stack(embedding({ vocabularySize: 5, outputSize: 3 }));
    const run = (weights: "int8" | "float32") =>
      createModel(ids, backend, { weights, seed: 2 }).runSync({
        shape: [4, 1],
        data: Float32Array.of(0, 4, 2, 1),
      }).output.data;
    expect(run("int8")).toEqual(run("float32"));
  });
});

/** A fault in how weights lie or rows are rounded: what replaces members of int8.ts. */
type Fault = (actual: typeof Int8) => Partial<typeof Int8>;

/** Packs as it should, then changes each panel's factors, and its sums. */
const repacked = (
  actual: typeof Int8,
  change: (factors: Float32Array, sums: Int32Array) => void,
): Pick<typeof Int8, "packInt8"> => ({
  packInt8(memory, matrix, to, dots) {
    actual.packInt8(memory, matrix, to, dots);
    const { columns, tailBytes } = actual.panelOf(dots);
    const bytes = actual.int8Bytes(matrix.depth, columns, dots);
    const { buffer } = memory.memory;
    for (let panel = to; panel < to + actual.int8Bytes(matrix.depth, matrix.width, dots); panel += bytes) {
      const tail = panel + bytes - tailBytes;
      change(
        new Float32Array(buffer, tail, columns),
        new Int32Array(buffer, tail + 4 * columns, dots ? columns : 0),
      );
    }
  },
});

const faults: Readonly<Record<string, Fault>> = {
  "the next row's scale": (actual) =>
    repacked(actual, (factors) => factors.set(factors.map((_, j) => factors[(j + 1) % factors.length]!))),
  "one scale for all rows": (actual) => repacked(actual, (factors) => factors.fill(Math.max(...factors))),
  "no scale": (actual) => repacked(actual, (factors) => factors.fill(2 ** 20 / (127 * 8191))),
  "activations cut at 7 bits": (actual) => ({
    ...repacked(actual, (factors, sums) => {
      factors.forEach((factor, j) => (factors[j] = (factor * 8191) / 63));
      sums.forEach((sum, j) => (sums[j] = (sum * 64) / 8192));
    }),
    ACTIVATION_STEPS: 63 as typeof Int8.ACTIVATION_STEPS,
  }),
};

describe("a fault is caught", () => {
  afterEach(() => {
    vi.doUnmock("../src/int8.ts");
    vi.resetModules();
  });

  test.each(Object.entries(faults))("by the laws: %s", async (_, fault) => {
    const open = await openWith(fault);
    // Each fault is one of arithmetic, in a backend that promises what the right one does.
    const { accuracy } = backend.weights!.int8;
    const laws = conformance({ open: async () => ({ ...(await open()), accuracy }), variants: false });
    const tried = laws.filter(({ name }) => ["lstm", "gru"].includes(name));
    const outcomes = [];
    for (const law of tried) outcomes.push(await law.run());
    expect(outcomes.map(({ passed }) => passed)).toContain(false);
    expect(outcomes.map(({ failure = "" }) => failure).join()).not.toContain("an error that no law expects");
  });
});

/** The int8 backend with a fault. */
async function openWith(fault: Fault): Promise<() => Promise<NonNullable<typeof backend.weights>["int8"]>> {
  vi.resetModules();
  vi.doMock("../src/int8.ts", async (original) => {
    const actual = await original<typeof Int8>();
    return { ...actual, ...fault(actual) };
  });
  const { openWasm: open } = await import("../src/index.ts");
  return async () => (await open({ int8: true })).weights!.int8;
}
