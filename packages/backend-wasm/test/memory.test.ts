// Memory is given out, given back and joined again; models and streams leave it as it was.
import { createModel, gradientSync, lstm, recurrent, stack } from "@recurra/core";
import { describe, expect, test } from "vitest";
import { openWasm } from "../src/index.ts";
import { openMemory } from "../src/memory.ts";

describe("blocks", () => {
  test("are apart, and join again when they are given back", () => {
    const memory = openMemory();
    const before = memory.memory.buffer.byteLength;
    const blocks = [100, 64, 1, 5000, 64].map((bytes) => memory.take(bytes));
    expect(new Set(blocks).size).toBe(5);
    for (const i of [3, 0, 4, 1, 2]) memory.give(blocks[i]!);
    expect(memory.blocks).toEqual([]);
    // All of it in one piece.
    const all = memory.take(before - 65536 - 64);
    expect(memory.memory.buffer.byteLength).toBe(before);
    memory.give(all);
  });

  test("come from more memory when it is full, and views follow", () => {
    const memory = openMemory();
    const buffer = memory.alloc(10);
    memory.write(
      buffer,
      Float32Array.from({ length: 10 }, (_, i) => i),
      0,
    );
    memory.take(64 << 20);
    const into = new Float32Array(10);
    memory.read(buffer, into, 0);
    expect([...into]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("are zero, those that were in use before and those that are partly new", () => {
    const memory = openMemory();
    for (const length of [100, 5000, 1 << 20, 1 << 24]) {
      const buffer = memory.alloc(length);
      expect(buffer.view.every((value) => value === 0)).toBe(true);
      memory.write(buffer, new Float32Array(length).fill(1), 0);
      memory.free(buffer);
    }
  });

  test("cost nothing until they are written to", () => {
    const memory = openMemory();
    const before = process.memoryUsage.rss();
    memory.free(memory.alloc(1 << 28));
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 28);
  });

  test("too large are refused, and nothing has changed", () => {
    const memory = openMemory();
    memory.take(100);
    const blocks = [...memory.blocks];
    expect(() => memory.take(2 ** 33)).toThrow(/OUT_OF_MEMORY/);
    expect(memory.blocks).toEqual(blocks);
  });
});

test(
  "a thousand models, run, streamed and disposed, leave memory where it was",
  { timeout: 120_000 },
  async () => {
    const backend = await openWasm();
    const network = stack(recurrent(lstm, { inputSize: 8, hiddenSize: 16 }));
    const x = { shape: [3, 2, 8], data: new Float32Array(48).fill(0.1) };
    const once = (seed: number): void => {
      const model = createModel(network, backend, { seed });
      const { output } = model.runSync(x);
      if (seed % 20 === 0) gradientSync(model, x, { output });
      model.stream().step(new Float32Array(8), new Float32Array(16));
      model.dispose();
    };
    once(0);
    // Where a new block comes to lie shows whether anything was left behind.
    const place = (): number => {
      const block = backend.alloc(1 << 20) as unknown as { readonly address: number };
      backend.free(block as never);
      return block.address;
    };
    const before = place();
    for (let i = 0; i < 1000; i++) once(i);
    expect(place()).toBe(before);
  },
);
