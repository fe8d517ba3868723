/**
 * Named float32 tensors and texts as a file of safetensors, and back: eight bytes of the header's length, a header in JSON, the values.
 * https://huggingface.co/docs/safetensors, "Format".
 */
import type { Tensor } from "@recurra/core";
import { fail, isRecord, isWhole } from "@recurra/core/internal";
import type { Snapshot } from "../checkpoint/checkpoint.ts";

const lengthBytes = 8;
const metadataName = "__metadata__";

export const encode = (snapshot: Snapshot): Buffer => Buffer.concat(partsOf(snapshot));

/** What the file has, one behind the other; values aren't copied. */
export function partsOf({ tensors, metadata }: Snapshot): Buffer[] {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }] as const;
  });
  const text = Buffer.from(JSON.stringify({ [metadataName]: metadata, ...Object.fromEntries(entries) }));
  // Spaces after the header, so that values lie at multiples of eight.
  const header = Buffer.alloc(Math.ceil(text.length / 8) * 8, " ");
  text.copy(header);
  const length = Buffer.alloc(lengthBytes);
  length.writeBigUInt64LE(BigInt(header.length));
  const values = Object.values(tensors).map(({ data }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  );
  return [length, header, ...values];
}

/** @throws FILE_ERROR for what isn't such a file, or not a whole one */
export function decode(bytes: Buffer, who: string, advice = ""): Snapshot {
  const wrong = (expected: string, got: unknown): never =>
    fail(
      "FILE_ERROR",
      `${who}: expected ${expected}, got ${String(got)}; the file is cut short, or of another kind${advice}`,
    );
  const length = bytes.length < lengthBytes ? Infinity : Number(bytes.readBigUInt64LE());
  const begin = lengthBytes + length;
  if (begin > bytes.length) wrong("a header of safetensors within the file", `${bytes.length} bytes`);
  const header = parse(bytes.toString("utf8", lengthBytes, begin));
  if (!isRecord(header)) return wrong("a header in JSON", `${length} bytes of something else`);
  const { [metadataName]: metadata = {}, ...entries } = header;
  if (!isTexts(metadata)) return wrong("texts as metadata", JSON.stringify(metadata));
  let end = 0;
  const tensors = Object.entries(entries).map(([name, entry]): [string, Tensor] => {
    if (!isEntry(entry) || entry.data_offsets[0] !== end)
      return wrong(`where a float32 tensor ${name} lies`, JSON.stringify(entry));
    const { shape, data_offsets: [from, to] } = entry; // prettier-ignore
    const size = shape.reduce((product, n) => product * n, 1);
    if (to - from !== 4 * size || begin + to > bytes.length)
      wrong(`${4 * size} bytes of ${name}`, `${bytes.length - begin - from}`);
    end = to;
    // A copy, since values needn't lie at a multiple of four.
    const data = new Float32Array(size);
    Buffer.from(data.buffer).set(bytes.subarray(begin + from, begin + to));
    return [name, { shape, data }];
  });
  if (begin + end !== bytes.length) wrong(`${begin + end} bytes`, bytes.length);
  return { tensors: Object.fromEntries(tensors), metadata };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isTexts = (value: unknown): value is Record<string, string> =>
  isRecord(value) && Object.values(value).every((text) => typeof text === "string");

interface Entry {
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const isEntry = (value: unknown): value is Entry => {
  if (!isRecord(value) || value.dtype !== "F32") return false;
  const wholes = (list: unknown): list is number[] => Array.isArray(list) && list.every((n) => isWhole(n, 0));
  return wholes(value.shape) && wholes(value.data_offsets) && value.data_offsets.length === 2;
};
