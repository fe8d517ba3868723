/** The simplest correct backend that there is: plain loops, every result stored in float32, sums kept in as much as it declares. */
import { mapLimits, RecurraError } from "@recurra/core";
import {
  functionValues,
  type Backend,
  type BoundKernel,
  type DeviceBuffer,
  type Kernel,
  type SyncBackend,
  type View,
} from "@recurra/core/internal";

class Memory implements DeviceBuffer {
  freed = false;
  readonly data: Float32Array;
  constructor(
    readonly owner: object,
    readonly length: number,
  ) {
    this.data = new Float32Array(length);
  }
}

const refuse = (code: "DISPOSED" | "SHAPE_MISMATCH" | "INVALID_ARGUMENT", message: string): never => {
  throw new RecurraError(code, `reference: ${message}`);
};

export function openReference(more: Partial<Backend> = {}): SyncBackend {
  const owner = {};
  let disposed = false;
  const memory = (buffer: DeviceBuffer): Float32Array => {
    if (disposed) refuse("DISPOSED", "expected a backend in use");
    if (!(buffer instanceof Memory) || buffer.owner !== owner)
      return refuse("INVALID_ARGUMENT", "expected a buffer of this backend");
    if (buffer.freed) refuse("DISPOSED", "expected a buffer that wasn't freed");
    return buffer.data;
  };
  const range = (buffer: DeviceBuffer, length: number, offset: number): Float32Array => {
    const data = memory(buffer);
    if (offset < 0 || offset + length > data.length)
      refuse("SHAPE_MISMATCH", `expected ${offset} + ${length} within ${data.length}`);
    return data.subarray(offset, offset + length);
  };

  const backend: SyncBackend = {
    name: "reference",
    limits: { maps: mapLimits({ inputs: 64, outputs: 64 }), rows: 2 ** 31 },
    accuracy: {
      unit: 2 ** -24,
      accumulate: 2 ** -53,
      functions: {
        tanh: { relative: 2 ** -23, absolute: 0 },
        sigmoid: { relative: 2 ** -23, absolute: 0 },
      },
      nan: true,
      subnormals: true,
      batchExact: true,
    },
    inPlace: true,
    projection: "before",
    alloc(length) {
      if (disposed) refuse("DISPOSED", "expected a backend in use");
      return new Memory(owner, length);
    },
    free(buffer) {
      memory(buffer);
      (buffer as Memory).freed = true;
    },
    write: (buffer, data, offset) => range(buffer, data.length, offset).set(data),
    read: async (buffer, into, offset) => into.set(range(buffer, into.length, offset)),
    readSync: (buffer, into, offset) => into.set(range(buffer, into.length, offset)),
    prepare(kernel) {
      if (disposed) refuse("DISPOSED", "expected a backend in use");
      const round = backend.accuracy.accumulate === 2 ** -24 ? Math.fround : (v: number) => v;
      return { bind: (rows, views, tableRows = 0) => bind(kernel, rows, views, tableRows, memory, round) };
    },
    dispose() {
      disposed = true;
    },
    ...more,
  };
  return backend;
}

function bind(
  kernel: Kernel,
  rows: number,
  views: readonly View[],
  tableRows: number,
  memory: (b: DeviceBuffer) => Float32Array,
  round: (sum: number) => number,
): BoundKernel {
  views.forEach((view, i) => {
    const { buffer, offset, rowStride, columnStride } = view;
    const [height, width] = shapeOf(kernel, i, rows, tableRows);
    if (![offset, rowStride].every((n) => Number.isInteger(n) && n >= 0))
      refuse("INVALID_ARGUMENT", "expected whole numbers");
    // Later steps' rows are known only when they are run.
    const end = height === 0 ? 0 : offset + (height - 1) * rowStride + (width - 1) * columnStride + 1;
    if (end > memory(buffer).length)
      refuse("SHAPE_MISMATCH", `expected a view within ${buffer.length}, got one that ends at ${end}`);
  });
  const count = kernel.op === "map" ? kernel.inputs : views.length - 1;
  if (views.length !== (kernel.op === "map" ? count + kernel.outputs.length : inputsOf(kernel) + 1))
    refuse("INVALID_ARGUMENT", `expected views for every operand, got ${views.length}`);
  let now = 0;
  const at = ({ offset, rowStride, columnStride, stepStride, slots }: View, r: number, j: number): number =>
    offset + (now % slots) * stepStride + r * rowStride + j * columnStride;
  const get = (i: number, r: number, j: number): number => memory(views[i]!.buffer)[at(views[i]!, r, j)]!;
  const put = (i: number, r: number, j: number, value: number): void => {
    memory(views[count + i]!.buffer)[at(views[count + i]!, r, j)] = value;
  };

  return {
    run(step) {
      now = step;
      switch (kernel.op) {
        case "map":
          for (let r = 0; r < rows; r++)
            for (let j = 0; j < kernel.width; j++) {
              const results: number[] = [];
              for (const { fn, args } of kernel.instructions) {
                const [a = 0, b = 0, c = 0] = args.map((x) =>
                  "input" in x ? get(x.input, r, j) : "result" in x ? results[x.result]! : x.constant,
                );
                results.push(Math.fround(functionValues[fn](a, b, c)));
              }
              kernel.outputs.forEach((result, i) => put(i, r, j, results[result]!));
            }
          return;
        case "gemm":
          for (let r = 0; r < (kernel.rows === "rows" ? rows : kernel.rows); r++)
            for (let j = 0; j < kernel.width; j++) {
              let sum = kernel.addend ? get(0, r, j) : 0;
              for (const { a, b, transposeA, transposeB, depth } of kernel.terms)
                for (let k = 0; k < (depth === "rows" ? rows : depth); k++)
                  sum = round(
                    sum +
                      round(
                        (transposeA ? get(a, k, r) : get(a, r, k)) *
                          (transposeB ? get(b, j, k) : get(b, k, j)),
                      ),
                  );
              put(0, r, j, sum);
            }
          return;
        case "reduce":
          for (let r = 0; r < rows; r++) {
            let result = kernel.fn === "max" ? -Infinity : 0;
            for (let j = 0; j < kernel.width; j++)
              result =
                kernel.fn === "max"
                  ? functionValues.max(result, get(0, r, j), 0)
                  : round(result + get(0, r, j));
            put(0, r, 0, kernel.fn === "mean" ? result / kernel.width : result);
          }
          return;
        case "gather":
          for (let r = 0; r < rows; r++) {
            const row = get(1, r, 0);
            for (let j = 0; j < kernel.width; j++) put(0, r, j, row < 0 ? 0 : get(0, row, j));
          }
          return;
        case "scatterAdd": {
          const sums = new Float64Array(tableRows * kernel.width);
          for (let r = 0; r < rows; r++) {
            const row = get(0, r, 0);
            if (row >= 0)
              for (let j = 0; j < kernel.width; j++)
                sums[row * kernel.width + j] = round(sums[row * kernel.width + j]! + get(1, r, j));
          }
          for (let r = 0; r < tableRows; r++)
            for (let j = 0; j < kernel.width; j++) put(0, r, j, sums[r * kernel.width + j]!);
        }
      }
    },
  };
}

function inputsOf(kernel: Exclude<Kernel, { op: "map" }>): number {
  if (kernel.op === "reduce") return 1;
  return kernel.op === "gemm"
    ? (kernel.addend ? 1 : 0) + new Set(kernel.terms.flatMap((t) => [t.a, t.b])).size
    : 2;
}

/** Rows and width of operand i. */
function shapeOf(kernel: Kernel, i: number, rows: number, tableRows: number): readonly [number, number] {
  switch (kernel.op) {
    case "map":
      return [rows, kernel.width];
    case "reduce":
      return [rows, i === 0 ? kernel.width : 1];
    case "gather":
      return [i === 0 ? tableRows : rows, i === 1 ? 1 : kernel.width];
    case "scatterAdd":
      return [i === 2 ? tableRows : rows, i === 0 ? 1 : kernel.width];
    case "gemm": {
      const height = kernel.rows === "rows" ? rows : kernel.rows;
      const a = kernel.terms.find((t) => t.a === i);
      if (a) return a.transposeA ? [rows, height] : [rows, a.depth as number];
      const b = kernel.terms.find((t) => t.b === i);
      if (b)
        return b.depth === "rows"
          ? [rows, kernel.width]
          : b.transposeB
            ? [kernel.width, b.depth]
            : [b.depth, kernel.width];
      return [height, kernel.width];
    }
  }
}
