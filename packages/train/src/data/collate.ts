/** Examples side by side in one batch, time-major; shorter ones are filled up with zeros, which have no loss. */
import type { IdTensor, Tensor } from "@recurra/core";
import { check, fail, isRecord, isWhole, sizeOf } from "@recurra/core/internal";
import type { Batch } from "../types.ts";
import type { Example, LabelledExample } from "./data.ts";
import { checkArray } from "./rows.ts";

/** Marks what lies past a row's labels. */
export const noLabel = -1;

const isIds = ({ data }: Tensor | IdTensor): boolean => !(data instanceof Float32Array);
const show = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

export function collate(examples: readonly (Example | LabelledExample)[]): Batch {
  examples.forEach((example, row) =>
    check(isRecord(example), `row ${row}`, "an example { x, target }", example),
  );
  const sequences = examples.map(({ x }) => x);
  sequences.forEach((x, row) => checkPart(x, `x of row ${row}`));
  sequences.forEach(({ shape }, row) =>
    check(shape.length > 0, `x of row ${row}`, "[time, features], or ids [time]", show(shape)),
  );
  const lengths = sequences.map(({ shape }) => shape[0] as number);
  const x = side(sequences, Math.max(...lengths));
  const ragged = lengths.some((length) => length !== lengths[0]);
  return { x, target: targets(examples, x.shape[0] as number, lengths), ...(ragged && { lengths }) };
}

function targets(
  examples: readonly (Example | LabelledExample)[],
  steps: number,
  lengths: readonly number[],
): Tensor | IdTensor {
  const given = examples.map((example) => ("labels" in example ? example.labels : example.target));
  given.forEach((target, row) => checkPart(target, `target of row ${row}`));
  if (examples.some((example) => "labels" in example)) {
    examples.forEach((example, row) =>
      check("labels" in example, `row ${row}`, "labels, as other rows have", "a target"),
    );
    return labels(given);
  }
  const first = given[0] as Tensor | IdTensor;
  const perStep = first.shape.length === (isIds(first) ? 1 : 2);
  if (!perStep) return one(given);
  given.forEach(({ shape }, row) => {
    if (shape[0] !== lengths[row])
      fail(
        "SHAPE_MISMATCH",
        `target of row ${row}: expected a value at each of its ${lengths[row]} steps, got ${show(shape)}`,
      );
  });
  return side(given, steps);
}

/** [time, …] of each → [steps, batch, …]. */
function side(parts: readonly (Tensor | IdTensor)[], steps: number): Tensor | IdTensor {
  const rest = (parts[0] as Tensor).shape.slice(1);
  const width = sizeOf(rest);
  const batch = parts.length;
  const data = arrayLike(parts, steps * batch * width);
  parts.forEach((part, row) => {
    checkSame(part, rest, row);
    const length = part.shape[0] as number;
    for (let t = 0; t < length; t++)
      for (let j = 0; j < width; j++)
        data[(t * batch + row) * width + j] = part.data[t * width + j] as number;
  });
  return { shape: [steps, batch, ...rest], data };
}

/** One value of each → [batch, …]. */
function one(parts: readonly (Tensor | IdTensor)[]): Tensor | IdTensor {
  const { shape } = parts[0] as Tensor;
  const width = sizeOf(shape);
  const data = arrayLike(parts, parts.length * width);
  parts.forEach((part, row) => {
    checkSame({ ...part, shape: [1, ...part.shape] }, shape, row);
    data.set(part.data, row * width);
  });
  return { shape: [parts.length, ...shape], data };
}

/** Labels of each → [batch, most labels]. */
function labels(parts: readonly IdTensor[]): IdTensor {
  parts.forEach((part, row) => {
    const who = `labels of row ${row}`;
    check(part.shape.length === 1, who, "ids [labels]", show(part.shape));
    part.data.forEach((id) => check(isWhole(id, 0), who, "whole numbers of at least 0", id));
  });
  const most = Math.max(...parts.map(({ data }) => data.length));
  const data = new Int32Array(parts.length * most).fill(noLabel);
  parts.forEach((part, row) => data.set(part.data, row * most));
  return { shape: [parts.length, most], data };
}

const arrayLike = (parts: readonly (Tensor | IdTensor)[], length: number): Float32Array | Int32Array => {
  const ids = isIds(parts[0] as Tensor);
  parts.forEach((part, row) =>
    check(isIds(part) === ids, `row ${row}`, ids ? "ids as in row 0" : "floats as in row 0", part.data),
  );
  return ids ? new Int32Array(length) : new Float32Array(length);
};

function checkSame({ shape }: Tensor | IdTensor, rest: readonly number[], row: number): void {
  if (show(shape.slice(1)) !== show(rest))
    fail("SHAPE_MISMATCH", `row ${row}: expected ${show(rest)} as in row 0, got ${show(shape.slice(1))}`);
}

function checkPart(part: Tensor | IdTensor, who: string): void {
  check(Array.isArray(part?.shape) && part.data !== undefined, who, "a tensor { shape, data }", part);
  checkArray(part.data, who);
  if (sizeOf(part.shape) !== part.data.length)
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected ${sizeOf(part.shape)} values for ${show(part.shape)}, got ${part.data.length}`,
    );
}
