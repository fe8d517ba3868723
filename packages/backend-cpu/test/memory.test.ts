import type { View } from "@recurra/core";
import { describe, expect, test } from "vitest";
import { openCpu } from "../src/index.ts";
import { codeOf } from "./support.ts";

const view = (buffer: View["buffer"], more: Partial<View> = {}): View => ({
  ...{ buffer, offset: 0, rowStride: 3, columnStride: 1, stepStride: 0, slots: 1 },
  ...more,
});

const copy = {
  op: "map",
  width: 3,
  inputs: 1,
  instructions: [{ fn: "copy", args: [{ input: 0 }] }],
  outputs: [0],
} as const;

describe("memory", () => {
  test("holds zeros, then what was written", async () => {
    const cpu = openCpu();
    const buffer = cpu.alloc(4);
    cpu.write(buffer, Float32Array.of(1, 2), 1);
    const into = new Float32Array(4);
    cpu.readSync(buffer, into, 0);
    expect([...into]).toEqual([0, 1, 2, 0]);
    await cpu.read(buffer, into.subarray(0, 2), 2);
    expect([...into]).toEqual([2, 0, 2, 0]);
    expect(cpu.alloc(0).length).toBe(0);
  });

  test("refuses lengths beyond memory", () => {
    const cpu = openCpu();
    for (const length of [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      expect(codeOf(() => cpu.alloc(length))).toBe("OUT_OF_MEMORY");
    }
  });

  test("a freed buffer can't be used; freeing it again does nothing", () => {
    const cpu = openCpu();
    const [a, b] = [cpu.alloc(3), cpu.alloc(3)];
    cpu.free(a);
    cpu.free(a);
    expect(codeOf(() => cpu.write(a, new Float32Array(1), 0))).toBe("DISPOSED");
    expect(codeOf(() => cpu.readSync(a, new Float32Array(1), 0))).toBe("DISPOSED");
    expect(codeOf(() => cpu.prepare(copy).bind(1, [view(a), view(b)]))).toBe("DISPOSED");
  });

  test("a disposed backend can't be used; disposing of it again does nothing", () => {
    const cpu = openCpu();
    const [a, b] = [cpu.alloc(3), cpu.alloc(3)];
    const prepared = cpu.prepare(copy);
    cpu.dispose();
    cpu.dispose();
    cpu.free(a);
    expect(codeOf(() => prepared.bind(1, [view(a), view(b)]))).toBe("DISPOSED");
    expect(codeOf(() => cpu.prepare(copy))).toBe("DISPOSED");
    expect(codeOf(() => cpu.alloc(1))).toBe("DISPOSED");
    expect(codeOf(() => cpu.write(b, new Float32Array(1), 0))).toBe("DISPOSED");
    expect(codeOf(() => cpu.readSync(b, new Float32Array(1), 0))).toBe("DISPOSED");
  });
});
