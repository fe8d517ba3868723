// A single row is multiplied by weights that are packed in a way of their own: it has the bits of the same row in a batch.
import { createModel, dense, lstm, recurrent, stack } from "@recurra/core";
import { afterAll, describe, expect, test } from "vitest";
import { openWasm } from "../src/index.ts";

const backend = await openWasm();
afterAll(() => backend.dispose());

// Widths of 4 · H and H: whole groups of panels, groups left over, and a panel that hangs over; sums on both sides of 256.
describe.each([1, 5, 12, 20, 31, 64, 100, 255, 256, 260])("H = %i", (H) => {
  test.each([1, 3])("T = %i", (T) => {
    const [I, B] = [7, 3];
    const layers = [
      recurrent(lstm, { inputSize: I, hiddenSize: H }),
      dense({ inputSize: H, outputSize: 13 }),
    ] as const;
    const model = createModel(stack(...layers), backend, { seed: 2 });
    const data = Float32Array.from({ length: T * B * I }, (_, i) => Math.sin(i * 1.3));
    const all = model.runSync({ shape: [T, B, I], data }).output.data;
    const stream = model.stream();
    for (let t = 0; t < T; t++) {
      const rows = (of: Float32Array, width: number) => of.subarray(t * B * width, (t * B + 1) * width);
      const expected = rows(all, 13);
      expect(stream.step(rows(data, I))).toEqual(expected);
      expect(expected.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
    }
    const first = Float32Array.from({ length: T * I }, (_, i) => data[Math.floor(i / I) * B * I + (i % I)]!);
    const alone = model.runSync({ shape: [T, 1, I], data: first }).output.data;
    for (let t = 0; t < T; t++)
      expect(alone.subarray(t * 13, (t + 1) * 13)).toEqual(all.subarray(t * B * 13, (t * B + 1) * 13));
    model.dispose();
  });
});
