/** Reads the float32 tensors of a safetensors file: a length, a JSON header, then the data. */
import { readFileSync } from "node:fs";

export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export function readSafetensors(path: string): Readonly<Record<string, FloatTensor>> {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  interface Entry {
    readonly shape: readonly number[];
    readonly data_offsets: readonly [number, number];
  }
  const { __metadata__: _, ...header } = JSON.parse(bytes.toString("utf8", 8, start)) as Record<
    string,
    Entry
  >;
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        // A copy, because the data needn't be aligned.
        const data = new Float32Array(Uint8Array.from(bytes.subarray(start + from, start + to)).buffer);
        return [name, { shape, data }];
      },
    ),
  );
}
