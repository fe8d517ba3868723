import { RecurraError, type View } from "@recurra/core";
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

  test("refuses ranges outside a buffer", async () => {
    const cpu = openCpu();
    const buffer = cpu.alloc(4);
    for (const offset of [-1, 3, 0.5, NaN]) {
      expect(codeOf(() => cpu.write(buffer, new Float32Array(2), offset))).toBe("INVALID_ARGUMENT");
      expect(codeOf(() => cpu.readSync(buffer, new Float32Array(2), offset))).toBe("INVALID_ARGUMENT");
      await expect(cpu.read(buffer, new Float32Array(2), offset)).rejects.toThrow(RecurraError);
    }
  });

  test("refuses lengths that aren't, and those beyond memory", () => {
    const cpu = openCpu();
    for (const length of [-1, 0.5, NaN]) expect(codeOf(() => cpu.alloc(length))).toBe("INVALID_ARGUMENT");
    for (const length of [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      expect(codeOf(() => cpu.alloc(length))).toBe("OUT_OF_MEMORY");
    }
  });

  test("a freed buffer can't be used; freeing it again does nothing", () => {
    const cpu = openCpu();
    const [a, b] = [cpu.alloc(3), cpu.alloc(3)];
    const bound = cpu.prepare(copy).bind(1, [view(a), view(b)]);
    cpu.free(a);
    cpu.free(a);
    expect(codeOf(() => bound.run(0))).toBe("DISPOSED");
    expect(codeOf(() => cpu.write(a, new Float32Array(1), 0))).toBe("DISPOSED");
    expect(codeOf(() => cpu.readSync(a, new Float32Array(1), 0))).toBe("DISPOSED");
    expect(codeOf(() => cpu.prepare(copy).bind(1, [view(a), view(b)]))).toBe("DISPOSED");
  });

  test("a disposed backend can't be used; disposing of it again does nothing", () => {
    const cpu = openCpu();
    const [a, b] = [cpu.alloc(3), cpu.alloc(3)];
    const prepared = cpu.prepare(copy);
    const bound = prepared.bind(1, [view(a), view(b)]);
    cpu.dispose();
    cpu.dispose();
    cpu.free(a);
    expect(codeOf(() => bound.run(0))).toBe("DISPOSED");
    expect(codeOf(() => prepared.bind(1, [view(a), view(b)]))).toBe("DISPOSED");
    expect(codeOf(() => cpu.prepare(copy))).toBe("DISPOSED");
    expect(codeOf(() => cpu.alloc(1))).toBe("DISPOSED");
    expect(codeOf(() => cpu.write(b, new Float32Array(1), 0))).toBe("DISPOSED");
  });

  test("buffers of another backend are refused", () => {
    const [cpu, other] = [openCpu(), openCpu()];
    expect(codeOf(() => cpu.write(other.alloc(3), new Float32Array(1), 0))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => cpu.write({ length: 3 }, new Float32Array(1), 0))).toBe("INVALID_ARGUMENT");
  });
});

describe("bind", () => {
  const cpu = openCpu();
  const [a, b] = [cpu.alloc(30), cpu.alloc(30)];
  const bind = (input: Partial<View>, output: Partial<View> = {}, rows = 3): unknown =>
    codeOf(() => typeof cpu.prepare(copy).bind(rows, [view(a, input), view(b, output)]).run);

  test("takes views that end just at their buffer's end", () => {
    expect(bind({ offset: 21 })).toBe("function");
    expect(bind({ offset: 27, rowStride: 0 })).toBe("function");
    expect(bind({ offset: 29, rowStride: 0, columnStride: 0 })).toBe("function");
    expect(bind({ stepStride: 9, slots: 4 })).toBe("function");
    expect(bind({ offset: 1000 }, {}, 0)).toBe("function");
  });

  test("refuses views that leave their buffer, at any step", () => {
    expect(bind({ offset: 22 })).toBe("INVALID_ARGUMENT");
    expect(bind({}, { rowStride: 14 })).toBe("INVALID_ARGUMENT");
    expect(bind({ stepStride: 10, slots: 4 })).toBe("INVALID_ARGUMENT");
    expect(bind({}, {}, 11)).toBe("INVALID_ARGUMENT");
  });

  test("refuses numbers that make no sense", () => {
    for (const bad of [-1, 0.5, NaN]) {
      expect(bind({ offset: bad })).toBe("INVALID_ARGUMENT");
      expect(bind({ rowStride: bad })).toBe("INVALID_ARGUMENT");
      expect(bind({ stepStride: bad })).toBe("INVALID_ARGUMENT");
      expect(bind({ slots: bad })).toBe("INVALID_ARGUMENT");
      expect(bind({}, {}, bad)).toBe("INVALID_ARGUMENT");
    }
    expect(bind({ slots: 0 })).toBe("INVALID_ARGUMENT");
    expect(bind({ columnStride: 2 as 1 })).toBe("INVALID_ARGUMENT");
  });

  test("refuses outputs whose elements repeat", () => {
    expect(bind({}, { columnStride: 0 })).toBe("INVALID_ARGUMENT");
    expect(bind({}, { rowStride: 2 })).toBe("INVALID_ARGUMENT");
    expect(bind({}, { rowStride: 0 })).toBe("INVALID_ARGUMENT");
    expect(bind({}, { rowStride: 0 }, 1)).toBe("function");
  });

  test("refuses the wrong number of views", () => {
    const sum = { op: "reduce", fn: "sum", width: 3 } as const;
    const term = { a: 0, b: 1, transposeA: false, transposeB: false, depth: 3 };
    const product = { op: "gemm", rows: "rows", width: 3, addend: false, terms: [term] } as const;
    for (const kernel of [
      copy,
      sum,
      product,
      { op: "gather", width: 3 },
      { op: "scatterAdd", width: 3, tableRows: 2 },
    ] as const) {
      for (const count of [0, 1, 4]) {
        const views = Array.from({ length: count }, () => view(cpu.alloc(30)));
        expect(codeOf(() => cpu.prepare(kernel).bind(3, views, 2))).toBe("INVALID_ARGUMENT");
      }
    }
  });

  describe("of outputs and inputs in one buffer", () => {
    const within = (input: Partial<View>, output: Partial<View>, rows = 3): unknown =>
      codeOf(() => typeof cpu.prepare(copy).bind(rows, [view(a, input), view(a, output)]).run);

    test("takes the identical view, in a map", () => {
      expect(within({}, {})).toBe("function");
      expect(within({ rowStride: 5 }, { rowStride: 5 })).toBe("function");
    });
    test("takes slices that lie interleaved, and slots that alternate", () => {
      expect(within({ rowStride: 6 }, { rowStride: 6, offset: 3 })).toBe("function");
      const slots = { rowStride: 3, stepStride: 9, slots: 2 };
      expect(within(slots, { ...slots, offset: 9 })).toBe("function");
      expect(within({ rowStride: 10 }, { rowStride: 4, offset: 3 }, 2)).toBe("function");
    });
    test("refuses any other overlap", () => {
      expect(within({}, { offset: 1 })).toBe("INVALID_ARGUMENT");
      expect(within({}, { offset: 8 })).toBe("INVALID_ARGUMENT");
      expect(within({ rowStride: 6 }, { rowStride: 6, offset: 2 })).toBe("INVALID_ARGUMENT");
      expect(within({ rowStride: 6 }, { rowStride: 7, offset: 3 })).toBe("INVALID_ARGUMENT");
      expect(within({ rowStride: 0 }, {})).toBe("INVALID_ARGUMENT");
      expect(within({ columnStride: 0 }, {})).toBe("INVALID_ARGUMENT");
      expect(within({ stepStride: 9, slots: 2 }, {})).toBe("INVALID_ARGUMENT");
      expect(within({ stepStride: 9, slots: 3 }, { offset: 9, stepStride: 9, slots: 2 })).toBe(
        "INVALID_ARGUMENT",
      );
    });
    test("refuses even the identical view in other kernels", () => {
      const term = { a: 0, b: 1, transposeA: false, transposeB: false, depth: 3 };
      const product = { op: "gemm", rows: "rows", width: 3, addend: false, terms: [term] } as const;
      expect(codeOf(() => cpu.prepare(product).bind(3, [view(a), view(b), view(a)]))).toBe(
        "INVALID_ARGUMENT",
      );
    });
    test("refuses outputs over one another", () => {
      const twice = { ...copy, outputs: [0, 0] };
      const bindTwice = (offset: number): unknown =>
        codeOf(() => typeof cpu.prepare(twice).bind(3, [view(b), view(a), view(a, { offset })]).run);
      expect(bindTwice(8)).toBe("INVALID_ARGUMENT");
      expect(bindTwice(9)).toBe("function");
    });
  });
});
