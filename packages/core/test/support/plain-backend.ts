/** The contract in its plainest form: one loop a kernel, no regard for speed; every program is verified. For tests of core, which knows no device, and of the laws. */
import type { Backend, BoundKernel, DeviceBuffer, Kernel, SyncBackend, View } from "../../src/backend.ts";
import { fail } from "../../src/errors.ts";
import { functionValues, verify } from "../../src/internal.ts";

interface Memory extends DeviceBuffer {
  readonly data: Float32Array;
}

const at = (
  { buffer, offset, rowStride, columnStride, stepStride, slots }: View,
  step: number,
  r: number,
  j: number,
): { data: Float32Array; i: number } => {
  const i = offset + (step % slots) * stepStride + r * rowStride + j * columnStride;
  const { data } = buffer as Memory;
  if (i < 0 || i >= data.length) throw new RangeError(`element ${i} of ${data.length}`);
  return { data, i };
};
const get = (view: View, step: number, r: number, j: number): number => {
  const { data, i } = at(view, step, r, j);
  return data[i] as number;
};
const set = (view: View, step: number, r: number, j: number, value: number): void => {
  const { data, i } = at(view, step, r, j);
  data[i] = value;
};

/** @param round what sums are kept in */
function run(
  kernel: Kernel,
  rows: number,
  v: readonly View[],
  tableRows: number,
  t: number,
  round: (sum: number) => number,
): void {
  const view = (i: number): View => v[i] as View;
  switch (kernel.op) {
    case "gemm": {
      const count = kernel.rows === "rows" ? rows : kernel.rows;
      const out = view(v.length - 1);
      const results: number[] = [];
      for (let r = 0; r < count; r++)
        for (let j = 0; j < kernel.width; j++) {
          let sum = kernel.addend ? get(view(0), t, r, j) : 0;
          for (const { a, b, transposeA, transposeB, depth } of kernel.terms)
            for (let k = 0; k < (depth === "rows" ? rows : depth); k++)
              sum = round(
                sum +
                  round(
                    (transposeA ? get(view(a), t, k, r) : get(view(a), t, r, k)) *
                      (transposeB ? get(view(b), t, j, k) : get(view(b), t, k, j)),
                  ),
              );
          results.push(sum);
        }
      results.forEach((value, i) => set(out, t, Math.floor(i / kernel.width), i % kernel.width, value));
      return;
    }
    case "map":
      for (let r = 0; r < rows; r++)
        for (let j = 0; j < kernel.width; j++) {
          const found: number[] = [];
          for (const { fn, args } of kernel.instructions) {
            const [a = 0, b = 0, c = 0] = args.map((x) =>
              "input" in x
                ? get(view(x.input), t, r, j)
                : "result" in x
                  ? (found[x.result] as number)
                  : x.constant,
            );
            found.push(Math.fround(functionValues[fn](a, b, c)));
          }
          kernel.outputs.forEach((i, o) => set(view(kernel.inputs + o), t, r, j, found[i] as number));
        }
      return;
    case "reduce":
      for (let r = 0; r < rows; r++) {
        const row = Array.from({ length: kernel.width }, (_, j) => get(view(0), t, r, j));
        const sum = row.reduce((a, b) => round(a + b), 0);
        set(
          view(1),
          t,
          r,
          0,
          kernel.fn === "max" ? Math.max(...row) : kernel.fn === "mean" ? sum / kernel.width : sum,
        );
      }
      return;
    case "gather":
      for (let r = 0; r < rows; r++) {
        const index = get(view(1), t, r, 0);
        for (let j = 0; j < kernel.width; j++)
          set(view(2), t, r, j, index < 0 ? 0 : get(view(0), t, index, j));
      }
      return;
    case "scatterAdd": {
      const table = new Float64Array(tableRows * kernel.width);
      for (let r = 0; r < rows; r++) {
        const index = get(view(0), t, r, 0);
        if (index >= 0)
          for (let j = 0; j < kernel.width; j++)
            table[index * kernel.width + j] = round(
              (table[index * kernel.width + j] as number) + get(view(1), t, r, j),
            );
      }
      table.forEach((value, i) => set(view(2), t, Math.floor(i / kernel.width), i % kernel.width, value));
    }
  }
}

function floats(length: number): Float32Array {
  try {
    return new Float32Array(length);
  } catch {
    return fail("OUT_OF_MEMORY", `plain alloc: expected room for ${length} numbers, got too little`);
  }
}

/** How many buffers live, for tests that look for leaks. */
export interface PlainBackend extends SyncBackend {
  readonly live: () => number;
}

export function openPlain(options: Partial<Backend> = {}): PlainBackend {
  const live = new Set<DeviceBuffer>();
  let disposed = false;
  const inUse = (): void => void (disposed && fail("DISPOSED", "plain: expected a backend in use"));
  const memory = (buffer: DeviceBuffer): Float32Array => {
    if (!live.has(buffer)) fail("DISPOSED", "plain: expected a buffer that was allocated and not freed");
    return (buffer as Memory).data;
  };
  const readSync = (buffer: DeviceBuffer, into: Float32Array, offset: number): void => {
    if (offset + into.length > buffer.length) throw new RangeError("read past the end");
    into.set(memory(buffer).subarray(offset, offset + into.length));
  };
  const backend: PlainBackend = {
    name: "plain",
    limits: { rows: 1e9 },
    accuracy: {
      unit: 2 ** -24,
      accumulate: 2 ** -53,
      functions: {},
      nan: true,
      subnormals: true,
      batchExact: true,
    },
    inPlace: true,
    projection: "before",
    ...options,
    live: () => live.size,
    alloc(length) {
      inUse();
      // What nobody wrote must show.
      const buffer: Memory = { length, data: floats(length).fill(NaN) };
      live.add(buffer);
      return buffer;
    },
    free(buffer) {
      memory(buffer);
      live.delete(buffer);
    },
    write: (buffer, data, offset) => memory(buffer).set(data, offset),
    readSync,
    read(buffer, into, offset) {
      readSync(buffer, into, offset);
      return Promise.resolve();
    },
    prepare(kernel) {
      inUse();
      const round = backend.accuracy.accumulate === 2 ** -24 ? Math.fround : (sum: number) => sum;
      return {
        bind(rows, views, tableRows = 0): BoundKernel {
          for (const { buffer } of views) memory(buffer);
          return { run: (step) => run(kernel, rows, views, tableRows, step, round) };
        },
      };
    },
    prepareProgram(program) {
      verify(program, backend);
      return undefined;
    },
    dispose() {
      disposed = true;
      live.clear();
    },
  };
  return backend;
}
