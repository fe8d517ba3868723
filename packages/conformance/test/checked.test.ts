// The guard around a backend, on the CPU backend.
import { openCpu } from "@recurra/backend-cpu";
import { RecurraError, type DeviceBuffer, type SyncBackend } from "@recurra/core";
import type { View } from "@recurra/core/internal";
import { describe, expect, test } from "vitest";
import { checked } from "../src/index.ts";
import { forward } from "../src/wrap.ts";

const open = (): SyncBackend => checked(openCpu());

/** The error's code, or what came instead of an error. */
function codeOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof RecurraError ? error.code : error;
  }
}

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
  test("refuses ranges outside a buffer", async () => {
    const cpu = open();
    const buffer = cpu.alloc(4);
    for (const offset of [-1, 3, 0.5, NaN]) {
      expect(codeOf(() => cpu.write(buffer, new Float32Array(2), offset))).toBe("INVALID_ARGUMENT");
      expect(codeOf(() => cpu.readSync(buffer, new Float32Array(2), offset))).toBe("INVALID_ARGUMENT");
      await expect(cpu.read(buffer, new Float32Array(2), offset)).rejects.toThrow(RecurraError);
    }
  });

  test("refuses lengths that aren't", () => {
    for (const length of [-1, 0.5, NaN]) expect(codeOf(() => open().alloc(length))).toBe("INVALID_ARGUMENT");
  });

  test("what was bound can't run with a freed buffer", () => {
    const cpu = open();
    const [a, b] = [cpu.alloc(3), cpu.alloc(3)];
    const bound = cpu.prepare(copy).bind(1, [view(a), view(b)]);
    cpu.free(a);
    cpu.free(a);
    expect(codeOf(() => bound.run(0))).toBe("DISPOSED");
    expect(codeOf(() => cpu.write(a, new Float32Array(1), 0))).toBe("DISPOSED");
    expect(codeOf(() => cpu.readSync(a, new Float32Array(1), 0))).toBe("DISPOSED");
    expect(codeOf(() => cpu.prepare(copy).bind(1, [view(a), view(b)]))).toBe("DISPOSED");
  });

  test("what was bound can't run on a disposed backend", () => {
    const cpu = open();
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
    const [cpu, other] = [open(), open()];
    expect(codeOf(() => cpu.write(other.alloc(3), new Float32Array(1), 0))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => cpu.write({ length: 3 }, new Float32Array(1), 0))).toBe("INVALID_ARGUMENT");
  });
});

test("hands everything through: buffers, optional members, whole programs", () => {
  const bare = openCpu();
  const buffer = bare.alloc(4);
  const prepared: unknown[] = [];
  const whole = checked(
    forward(bare, {
      alloc: () => buffer,
      prepareProgram: (program) => {
        prepared.push(program);
        return { bind: () => ({ run: () => undefined, dispose: () => undefined }) };
      },
    }),
  );
  expect(whole.alloc(4)).toBe(buffer);
  const program = {
    name: "p",
    buffers: [],
    sections: [],
    states: [],
    inputs: {},
    outputs: {},
    parameters: {},
  };
  const run = (given: DeviceBuffer, steps: number): unknown =>
    codeOf(() =>
      whole
        .prepareProgram?.(program)
        ?.bind(3, 1, new Map([[0, [given]]]))
        .run(steps, 0),
    );
  expect(run(buffer, 3)).toBeUndefined();
  expect(prepared).toEqual([program]);
  expect(run(buffer, 4)).toBe("INVALID_ARGUMENT");
  expect(run(bare.alloc(4), 3)).toBe("INVALID_ARGUMENT");
  whole.free(buffer);
  expect(run(buffer, 3)).toBe("DISPOSED");

  const later = checked(forward(openCpu(), { readSync: undefined }));
  expect(later.readSync).toBeUndefined();
  expect(later.prepareProgram).toBeUndefined();
});

describe("bind", () => {
  const cpu = open();
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
    test("refuses even the identical view of a backend that isn't in place", () => {
      const apart = checked(forward(openCpu(), { inPlace: false }));
      const c = apart.alloc(9);
      expect(codeOf(() => apart.prepare(copy).bind(3, [view(c), view(c)]))).toBe("INVALID_ARGUMENT");
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
