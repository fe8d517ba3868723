/** Metrics: what a loss means to a person. Each is a mean over all that counts, over batches as over one. */
import type { IdTensor, Tensor } from "@recurra/core";
import { check, checkOptions, checkWhole, fail, isRecord, sizeOf } from "@recurra/core/internal";
import { isList } from "./data/rows.ts";
import type { Scale } from "./data/scale.ts";
import { logSum } from "./log-sum.ts";
import type { Batch } from "./types.ts";

export interface Metric {
  readonly name: string;
  /** A batch's sum, and what a mean divides it by. */
  of(output: Tensor, batch: Batch): { readonly sum: number; readonly weight: number };
  /** From the mean over all batches to the metric. Default: itself. */
  finish?(mean: number): number;
}

/** Means are kept by name, so that two of one name would be mixed. */
export function checkMetrics(metrics: readonly Metric[], who: string): void {
  check(Array.isArray(metrics), `${who}: metrics`, "a list of metrics", metrics);
  const names = new Set<string>();
  for (const metric of metrics as readonly Metric[]) {
    const ok = isRecord(metric) && typeof metric.of === "function" && typeof metric.name === "string";
    check(ok && metric.name !== "", `${who}: metrics`, "a metric, such as accuracy()", metric);
    check(
      !names.has(metric.name),
      `${who}: metrics`,
      "names that differ",
      metric.name,
      " twice; give one another: { ...rmse(), name }",
    );
    names.add(metric.name);
  }
}

export interface IdMetricOptions {
  /** Rows with this target don't count, as in a loss with this ignoreIndex. Default: none but those below 0. */
  readonly ignoreIndex?: number;
}

/** The share of ids that have the largest output. Ids below 0 don't count. */
export function accuracy(options: IdMetricOptions = {}): Metric {
  return overIds("accuracy", options, (row, id) =>
    row.every((value, k) => value < (row[id] as number) || k === id) ? 1 : 0,
  );
}

/** exp of the mean cross-entropy of ids under the softmax of the outputs. Ids below 0 don't count. */
export function perplexity(options: IdMetricOptions = {}): Metric {
  const surprise = (row: Float32Array, id: number): number => logSum(row) - (row[id] as number);
  return { ...overIds("perplexity", options, surprise), finish: Math.exp };
}

export interface RmseOptions {
  /** What the series was scaled by: the metric is in units of the unscaled one then. */
  readonly scale?: Scale;
  /** Which features of the scale the outputs are. Default: all. */
  readonly columns?: readonly number[];
}

/** The root of the mean squared difference of outputs and targets. */
export function rmse(options: RmseOptions = {}): Metric {
  checkOptions(options, ["scale", "columns"], "rmse");
  const divisors = divisorsOf(options);
  return {
    name: "rmse",
    of(output, batch) {
      const { target } = batch;
      const { shape, data } = target;
      // A width of 1 may be left out, as for a loss.
      const fits = [shape, [...shape, 1]].some((sizes) => sizes.join() === output.shape.join());
      if (!(data instanceof Float32Array) || !fits)
        fail(
          "SHAPE_MISMATCH",
          `rmse: expected a float target [${output.shape.join(", ")}], got [${shape.join(", ")}]`,
        );
      const width = output.shape.at(-1) as number;
      if (divisors && divisors.length !== width)
        fail(
          "SHAPE_MISMATCH",
          `rmse: expected an output of ${divisors.length} columns, as the scale, got ${width}`,
        );
      let sum = 0;
      let weight = 0;
      eachRow(output, batch, (row) => {
        for (let j = 0, i = row * width; j < width; j++, i++) {
          const error = (output.data[i] as number) - (data[i] as number);
          // Not the difference of what is unscaled, in which a large offset would leave few digits.
          sum += (error * (divisors?.[j] ?? 1)) ** 2;
        }
        weight += width;
      });
      return { sum, weight };
    },
    finish: Math.sqrt,
  };
}

/** What each output's error is multiplied by. */
function divisorsOf({ scale, columns }: RmseOptions): readonly number[] | undefined {
  if (scale === undefined) return undefined;
  const all: unknown = (scale as Partial<Scale> | null)?.divisor;
  check(isList(all), "rmse: scale", "a scale, such as standardScale(series)", scale);
  if (columns === undefined) return scale.divisor;
  check(isList(columns), "rmse: columns", "a list of features", columns);
  return columns.map((column) => {
    checkWhole(column, "rmse: columns", 0, scale.divisor.length - 1);
    return scale.divisor[column] as number;
  });
}

/** Visits the rows of an output that count: not those past a sequence's end. */
function eachRow({ shape }: Tensor, { lengths }: Batch, visit: (row: number) => void): void {
  const batch = shape.at(-2) as number;
  const count = sizeOf(shape.slice(0, -1));
  for (let row = 0; row < count; row++)
    if (!lengths || Math.floor(row / batch) < (lengths[row % batch] as number)) visit(row);
}

/** A mean of something of rows and their ids. */
function overIds(
  name: string,
  options: IdMetricOptions,
  of: (row: Float32Array, id: number) => number,
): Metric {
  checkOptions(options, ["ignoreIndex"], name);
  const { ignoreIndex = -1 } = options;
  checkWhole(ignoreIndex, `${name}: ignoreIndex`, -Infinity);
  return {
    name,
    of(output, batch) {
      const { data: ids, shape }: IdTensor = batch.target;
      const width = output.shape.at(-1) as number;
      if (shape.join() !== output.shape.slice(0, -1).join())
        fail(
          "SHAPE_MISMATCH",
          `${name}: expected an id a row of [${output.shape.join(", ")}], got [${shape.join(", ")}]`,
        );
      let sum = 0;
      let weight = 0;
      eachRow(output, batch, (row) => {
        const id = ids[row] as number;
        if (id < 0 || id === ignoreIndex) return;
        if (!(Number.isInteger(id) && id < width)) {
          const [size = 1, sequence] = [output.shape.at(-2), output.shape.length > 2];
          const where = `batch row ${row % size}${sequence ? `, step ${Math.floor(row / size)}` : ""}`;
          fail(
            "INVALID_ARGUMENT",
            `${name}: ${where}: expected a class from 0 to ${width - 1}, or below 0, got ${id}`,
          );
        }
        sum += of(output.data.subarray(row * width, (row + 1) * width), id);
        weight++;
      });
      return { sum, weight };
    },
  };
}
