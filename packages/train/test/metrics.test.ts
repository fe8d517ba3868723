import { openCpu } from "@recurra/backend-cpu";
import { createModel, dense, stack } from "@recurra/core";
import { describe, expect, it } from "vitest";
import { minMaxScale, scale } from "../src/data/scale.ts";
import { evaluate } from "../src/fit.ts";
import { crossEntropy } from "../src/losses/index.ts";
import { addTo, meansOf, type Sums } from "../src/means.ts";
import { accuracy, perplexity, rmse } from "../src/metrics.ts";
import type { Batch } from "../src/types.ts";
import { refuses } from "./support/refuses.ts";

const x = { shape: [2, 2, 1], data: new Float32Array(4) };
/** [time 2, batch 2, classes 3]. */
const logits = { shape: [2, 2, 3], data: Float32Array.of(1, 2, 0, 3, 1, 1, 0, 0, 5, 2, 2, 1) };
const ids = (...data: number[]) => ({ shape: [2, 2], data: Int32Array.from(data) });

const meanOf = (metric: ReturnType<typeof accuracy>, output: typeof logits, batch: Batch) => {
  const { sum, weight } = metric.of(output, batch);
  return { value: metric.finish?.(sum / weight) ?? sum / weight, weight };
};

describe("accuracy", () => {
  it("counts the largest, of equals none", () => {
    expect(meanOf(accuracy(), logits, { x, target: ids(1, 0, 1, 0) })).toEqual({ value: 2 / 4, weight: 4 });
  });
  it("leaves out what is past a row's end, and ids below 0", () => {
    expect(meanOf(accuracy(), logits, { x, target: ids(1, 1, 9, -100), lengths: [1, 2] })).toEqual({
      value: 1 / 2,
      weight: 2,
    });
  });
  it("takes one row a sequence", () => {
    const last = { shape: [2, 3], data: logits.data.slice(0, 6) };
    expect(meanOf(accuracy(), last, { x, target: { shape: [2], data: Int32Array.of(1, 1) } })).toEqual({
      value: 1 / 2,
      weight: 2,
    });
  });
  it("refuses ids that are no classes", () =>
    refuses(
      () => perplexity().of(logits, { x, target: ids(0, 1, 2, 255) }),
      "INVALID_ARGUMENT",
      /perplexity: batch row 1, step 1: expected a class from 0 to 2, or below 0, got 255/,
    ));
  it("refuses targets that don't fit", () =>
    refuses(
      () => accuracy().of(logits, { x, target: { shape: [2], data: Int32Array.of(1, 1) } }),
      "SHAPE_MISMATCH",
      /an id a row/,
    ));
});

describe("perplexity", () => {
  it("is the reciprocal of the geometric mean of probabilities", () => {
    const p = (row: number, id: number) => {
      const exps = [...logits.data.slice(3 * row, 3 * row + 3)].map(Math.exp);
      return (exps[id] as number) / exps.reduce((a, b) => a + b);
    };
    const wanted = (p(0, 1) * p(1, 0) * p(3, 2)) ** (-1 / 3);
    expect(meanOf(perplexity(), logits, { x, target: ids(1, 0, -100, 2) }).value).toBeCloseTo(wanted, 12);
  });
  it("is the number of classes where nothing is known", () => {
    const flat = { shape: [2, 2, 3], data: new Float32Array(12).fill(700) };
    expect(meanOf(perplexity(), flat, { x, target: ids(0, 1, 2, 0) }).value).toBeCloseTo(3, 12);
  });
});

describe("ignoreIndex", () => {
  it("leaves out what the loss leaves out, so that perplexity is exp(loss)", async () => {
    const model = createModel(stack(dense({ inputSize: 1, outputSize: 3 })), openCpu(), { seed: 1 });
    const input = { shape: [2, 2, 1], data: Float32Array.of(0.5, -1, 2, 0.1) };
    const data = { batches: () => [{ x: input, target: ids(1, 0, 2, 0) }] };
    const metrics = [accuracy({ ignoreIndex: 0 }), perplexity({ ignoreIndex: 0 })];
    const measured = await evaluate(model, data, { loss: crossEntropy({ ignoreIndex: 0 }), metrics });
    // The loss is of float32.
    expect(measured.metrics.perplexity).toBeCloseTo(Math.exp(measured.loss), 6);
    expect(meanOf(accuracy({ ignoreIndex: 0 }), logits, { x, target: ids(1, 0, 0, 2) })).toEqual({
      value: 1 / 2,
      weight: 2,
    });
  });
  it("is a whole number", () =>
    refuses(
      () => perplexity({ ignoreIndex: 0.5 }),
      "INVALID_ARGUMENT",
      /^perplexity: ignoreIndex: expected a whole number/,
    ));
});

describe("rmse", () => {
  const target = { shape: [2, 1], data: Float32Array.of(0.5, 0) };
  const output = { shape: [2, 1], data: Float32Array.of(0.75, 0.5) };
  it("is a root of a mean", () => {
    expect(meanOf(rmse(), output, { x, target }).value).toBe(Math.sqrt((0.0625 + 0.25) / 2));
  });
  it("takes a target without the last dimension where that is 1", () => {
    const flat = { shape: [2], data: target.data };
    expect(rmse().of(output, { x, target: flat })).toEqual(rmse().of(output, { x, target }));
  });
  it("refuses other options", () =>
    refuses(() => rmse(null as unknown as object), "INVALID_ARGUMENT", /^rmse: expected options/));
  it("doesn't depend on the series' offset, which is large beside the error", () => {
    const [y, t] = [0.0078125, 0].map((value) => ({ shape: [1, 2], data: Float32Array.of(value, value) }));
    const metric = rmse({ scale: scale([0, 1e6, 1e6], [1, 2, 4]), columns: [2, 1] });
    const given = [y, { x, target: t }] as Parameters<typeof metric.of>;
    expect(metric.of(...given)).toEqual({ sum: 0.0078125 ** 2 * (16 + 4), weight: 2 });
  });
  it("refuses a scale that isn't one, and outputs of other columns", async () => {
    await refuses(() => rmse({ scale: 5 as never }), "INVALID_ARGUMENT", /^rmse: scale: expected a scale/);
    const made = scale([0, 0, 0], [1, 1, 1]);
    await refuses(
      () => rmse({ scale: made, columns: [3] }),
      "INVALID_ARGUMENT",
      /^rmse: columns: .* from 0 to 2/,
    );
    await refuses(
      () => rmse({ scale: made, columns: [0, 1] }).of(output, { x, target }),
      "SHAPE_MISMATCH",
      /^rmse: expected an output of 2 columns, as the scale, got 1/,
    );
  });
  it("is in units of the series", () => {
    const scale = minMaxScale({ shape: [2, 1], data: Float32Array.of(300, 340) });
    expect(meanOf(rmse({ scale }), output, { x, target }).value).toBeCloseTo(
      40 * Math.sqrt((0.0625 + 0.25) / 2),
      10,
    );
  });
});

describe("means", () => {
  it("of batches of any size are those of all", () => {
    const sums: Sums = new Map();
    const state = {};
    const metrics = [rmse()];
    const part = (...data: number[]) => ({ shape: [data.length, 1], data: Float32Array.from(data) });
    for (const [y, target] of [
      [part(1, 2, 3), part(0, 0, 0)],
      [part(5), part(0)],
    ] as const) {
      const loss = y.data.reduce((s, v) => s + v * v, 0) / y.data.length;
      addTo(sums, { loss, weight: y.data.length, state, output: y }, { x, target }, metrics);
    }
    expect(meansOf(sums, metrics)).toEqual({ loss: 39 / 4, metrics: { rmse: Math.sqrt(39 / 4) } });
    expect(meansOf(new Map(), metrics)).toEqual({ loss: 0, metrics: { rmse: 0 } });
  });
});
