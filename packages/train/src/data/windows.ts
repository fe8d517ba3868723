/** Windows that slide over a series, each an example: what was, and what came next. */
import type { IdTensor, Tensor } from "@recurra/core";
import { check, checkOneOf, checkOptions, checkWhole, fail } from "@recurra/core/internal";
import type { Examples } from "./data.ts";
import { checkSeries, rows } from "./rows.ts";

export interface WindowOptions {
  /** How many steps a window has. */
  readonly length: number;
  /** How many steps after a window's step its target lies. Default: 1. */
  readonly ahead?: number;
  /** Whether the target is the value after the last step, or that after every step. Default: "last". */
  readonly target?: "last" | "all";
  /** Which features are to be forecast. Default: all. */
  readonly columns?: readonly number[];
}

/** @param series [time, features], or ids [time] */
export function windows(series: Tensor | IdTensor, options: WindowOptions): Examples {
  const who = "windows";
  checkOptions(options, ["length", "ahead", "target", "columns"], who);
  const time = checkSeries(series, who);
  const { length, ahead = 1, target = "last", columns } = options;
  checkWhole(length, `${who}: length`);
  checkWhole(ahead, `${who}: ahead`);
  checkOneOf(target, ["last", "all"], `${who}: target`);
  const size = time - length - ahead + 1;
  if (size < 1)
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected a series of at least ${length + ahead} steps (length + ahead), got ${time}`,
    );
  const wanted = columns !== undefined ? pick(series, columns) : series;
  return {
    size,
    get(i) {
      checkWhole(i, `${who}: index`, 0, size - 1);
      const end = i + length;
      const last = rows(wanted, end + ahead - 1, end + ahead);
      return {
        x: rows(series, i, end),
        target:
          target === "all" ? rows(wanted, i + ahead, end + ahead) : { ...last, shape: last.shape.slice(1) },
      };
    },
  };
}

/** Some columns of a series, in the given order. */
function pick(series: Tensor | IdTensor, columns: readonly number[]): Tensor {
  check(Array.isArray(columns), "windows: columns", "a list of features", columns);
  const { shape, data } = series;
  const [time = 0, width] = shape;
  check(
    data instanceof Float32Array && width !== undefined,
    "windows: columns",
    "a series with features",
    data,
  );
  for (const column of columns) checkWhole(column, "windows: columns", 0, width - 1);
  return {
    shape: [time, columns.length],
    data: Float32Array.from(
      { length: time * columns.length },
      (_, i) =>
        data[Math.floor(i / columns.length) * width + (columns[i % columns.length] as number)] as number,
    ),
  };
}
