/** Rows of a series, [time, features], or of a sequence of ids, [time], without a copy. */
import type { IdTensor, Tensor } from "@recurra/core";
import { check, fail, sizeOf } from "@recurra/core/internal";

export const rows = <S extends Tensor | IdTensor>(series: S, from: number, to: number): S => {
  const rest = series.shape.slice(1);
  const width = sizeOf(rest);
  return { ...series, shape: [to - from, ...rest], data: series.data.subarray(from * width, to * width) };
};

/** @returns the number of rows */
export function checkSeries(series: unknown, who: string): number {
  const { shape, data } = (series ?? {}) as Partial<Tensor>;
  const ids = !(data instanceof Float32Array);
  check(Array.isArray(shape) && data !== undefined, who, "a series { shape, data }", series);
  if (shape.length !== (ids ? 1 : 2) || sizeOf(shape) !== data.length)
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected ${ids ? "ids [time]" : "a series [time, features]"} and as many values, got [${shape.join(", ")}] and ${data.length}`,
    );
  return shape[0] as number;
}
