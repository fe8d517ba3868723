/** Rows of a series, [time, features], or of a sequence of ids, [time], without a copy. */
import type { IdTensor, Tensor } from "@recurra/core";
import { check, fail, sizeOf } from "@recurra/core/internal";

export const rows = <S extends Tensor | IdTensor>(series: S, from: number, to: number): S => {
  const rest = series.shape.slice(1);
  const width = sizeOf(rest);
  return { ...series, shape: [to - from, ...rest], data: series.data.subarray(from * width, to * width) };
};

/** Array.isArray, which would make `any` of what is known to be a list. */
export const isList = (value: unknown): boolean => Array.isArray(value);

const wholes = [Int32Array, Uint32Array, Uint16Array, Uint8Array];

/** Whether it is an array of whole numbers, as ids come in. */
export const isWholes = (data: unknown): data is Exclude<IdTensor["data"], Float32Array> =>
  wholes.some((A) => data instanceof A);

/** Anything else would lose its fractions on the way into a batch. */
export function checkArray(data: unknown, who: string): void {
  const ok = data instanceof Float32Array || isWholes(data);
  check(ok, who, "data in a Float32Array, or ids in an Int32Array or another array of whole numbers", data);
}

/** @returns the number of rows */
export function checkSeries(series: unknown, who: string): number {
  const { shape, data } = (series ?? {}) as Partial<Tensor>;
  const ids = !(data instanceof Float32Array);
  check(Array.isArray(shape) && data !== undefined, who, "a series { shape, data }", series);
  checkArray(data, who);
  if (shape.length !== (ids ? 1 : 2) || sizeOf(shape) !== data.length)
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected ${ids ? "ids [time]" : "a series [time, features]"} and as many values, got [${shape.join(", ")}] and ${data.length}`,
    );
  return shape[0] as number;
}
