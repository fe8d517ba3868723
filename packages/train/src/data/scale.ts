/** Scaling of features to what networks learn well from, and its inverse for what they forecast. */
import type { Tensor } from "@recurra/core";
import { check, checkTensor, checkWhole, fail } from "@recurra/core/internal";
import { checkSeries, isList } from "./rows.ts";

export interface Scale {
  /** By feature: what is taken off. */
  readonly offset: readonly number[];
  /** By feature: what is then divided by; 1 for a feature that is constant. */
  readonly divisor: readonly number[];
  /** [..., features] → the same, scaled. */
  apply(values: Tensor): Tensor;
  /**
   * [..., columns] scaled → the same in units of the series.
   * @param columns which features they are. Default: all
   */
  invert(values: Tensor, columns?: readonly number[]): Tensor;
}

/** To mean 0 and standard deviation 1 by feature. @param series [time, features] to measure: the part that is trained on */
export function standardScale(series: Tensor): Scale {
  const { columns, time } = readColumns(series, "standardScale");
  const offset = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / time);
  return scale(
    offset,
    columns.map((column, j) =>
      Math.sqrt(column.reduce((sum, value) => sum + (value - (offset[j] as number)) ** 2, 0) / time),
    ),
  );
}

/** To 0 … 1 by feature. @param series [time, features] to measure: the part that is trained on */
export function minMaxScale(series: Tensor): Scale {
  const { columns } = readColumns(series, "minMaxScale");
  const extreme = (column: readonly number[], of: (a: number, b: number) => number) =>
    column.reduce((a, b) => of(a, b));
  const offset = columns.map((column) => extreme(column, Math.min));
  return scale(
    offset,
    columns.map((column, j) => extreme(column, Math.max) - (offset[j] as number)),
  );
}

/** A scale from its numbers, as it was stored with a model. */
export function scale(offset: readonly number[], divisor: readonly number[]): Scale {
  for (const [name, list] of Object.entries({ offset, divisor }))
    check(
      Array.isArray(list) && list.every(Number.isFinite),
      `scale: ${name}`,
      "a list of finite numbers",
      list,
    );
  check(offset.length === divisor.length, "scale", `${offset.length} divisors`, divisor.length);
  const divisors = divisor.map((value) => (value === 0 ? 1 : value));
  const all = offset.map((_, j) => j);
  const map = (
    values: Tensor,
    columns: readonly number[],
    who: string,
    of: (value: number, j: number) => number,
  ): Tensor => {
    check(isList(columns), `${who}: columns`, "a list of features", columns);
    for (const column of columns) checkWhole(column, `${who}: columns`, 0, all.length - 1);
    const { shape } = (values ?? {}) as Partial<Tensor>;
    const outer = isList(shape) ? (shape as readonly number[]).slice(0, -1) : [];
    checkTensor(values, [...outer.map(() => "any"), columns.length], who);
    return {
      shape: [...values.shape],
      data: values.data.map((value, i) => of(value, columns[i % columns.length] as number)),
    };
  };
  return {
    offset: [...offset],
    divisor: divisors,
    apply: (values) =>
      map(
        values,
        all,
        "scale.apply",
        (value, j) => (value - (offset[j] as number)) / (divisors[j] as number),
      ),
    invert: (values, columns = all) =>
      map(
        values,
        columns,
        "scale.invert",
        (value, j) => value * (divisors[j] as number) + (offset[j] as number),
      ),
  };
}

function readColumns(
  series: Tensor,
  who: string,
): { readonly columns: readonly number[][]; readonly time: number } {
  const time = checkSeries(series, who);
  const { data, shape } = series;
  const width = shape[1];
  check(
    time > 0 && width !== undefined,
    who,
    "a series [time, features] with a step",
    `[${shape.join(", ")}]`,
  );
  data.forEach((value, i) => {
    if (!Number.isFinite(value))
      fail(
        "NON_FINITE",
        `${who}: expected finite numbers, got ${value} in feature ${i % width} at step ${Math.floor(i / width)}`,
      );
  });
  const columns = Array.from({ length: width }, (_, j) =>
    Array.from({ length: time }, (_step, t) => data[t * width + j] as number),
  );
  return { columns, time };
}
