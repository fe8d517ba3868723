import { functionValues as values, type Backend } from "@recurra/core/internal";
import type { SyncBackend, Kernel, View } from "@recurra/core";
interface Buf {
  length: number;
  data: Float32Array;
}
export function openNaive(over: Partial<SyncBackend> = {}): SyncBackend {
  const at = (v: View, step: number, r: number, j: number) =>
    v.offset + (v.slots > 0 ? step % v.slots : 0) * v.stepStride + r * v.rowStride + j * v.columnStride;
  const get = (v: View, s: number, r: number, j: number) => {
    const d = (v.buffer as Buf).data;
    const i = at(v, s, r, j);
    if (!(i >= 0 && i < d.length)) throw new Error("read out of range");
    return d[i]!;
  };
  const set = (v: View, s: number, r: number, j: number, x: number) => {
    const d = (v.buffer as Buf).data;
    const i = at(v, s, r, j);
    if (!(i >= 0 && i < d.length)) throw new Error(`write out of range ${i} of ${d.length}`);
    d[i] = x;
  };
  return {
    name: "naive",
    limits: { mapInputs: 1000, mapOutputs: 1000, rows: 1e9 },
    accuracy: {
      unit: 2 ** -24,
      accumulate: 2 ** -53,
      functions: {},
      nan: true,
      subnormals: true,
      batchExact: true,
    },
    inPlace: false,
    projection: "before",
    alloc: (length) => ({ length, data: new Float32Array(length).fill(NaN) }) as Buf,
    free() {},
    write: (b, data, o) => (b as Buf).data.set(data, o),
    readSync: (b, into, o) => into.set((b as Buf).data.subarray(o, o + into.length)),
    read: async (b, into, o) => into.set((b as Buf).data.subarray(o, o + into.length)),
    dispose() {},
    prepare: (k: Kernel) => ({
      bind: (rows, views, tableRows = 0) => ({
        run(s) {
          const R = k.op === "gemm" && k.rows !== "rows" ? k.rows : rows;
          const out: [View, number, number, number][] = [];
          if (k.op === "gemm") {
            const o = views[views.length - 1]!;
            for (let r = 0; r < R; r++)
              for (let j = 0; j < k.width; j++) {
                let x = k.addend ? get(views[0]!, s, r, j) : 0;
                for (const t of k.terms) {
                  const D = t.depth === "rows" ? rows : t.depth;
                  for (let q = 0; q < D; q++)
                    x +=
                      get(views[t.a]!, s, t.transposeA ? q : r, t.transposeA ? r : q) *
                      get(views[t.b]!, s, t.transposeB ? j : q, t.transposeB ? q : j);
                }
                out.push([o, r, j, x]);
              }
          } else if (k.op === "map") {
            for (let r = 0; r < rows; r++)
              for (let j = 0; j < k.width; j++) {
                const res: number[] = [];
                for (const i of k.instructions) {
                  const a = i.args.map((g) =>
                    "input" in g
                      ? get(views[g.input]!, s, r, j)
                      : "result" in g
                        ? res[g.result]!
                        : g.constant,
                  );
                  res.push(Math.fround(values[i.fn](a[0]!, a[1]!, a[2]!)));
                }
                k.outputs.forEach((q, n) => out.push([views[k.inputs + n]!, r, j, res[q]!]));
              }
          } else if (k.op === "reduce") {
            for (let r = 0; r < rows; r++) {
              const v = Array.from({ length: k.width }, (_, j) => get(views[0]!, s, r, j));
              out.push([
                views[1]!,
                r,
                0,
                k.fn === "max"
                  ? Math.max(...v)
                  : v.reduce((a, b) => a + b, 0) / (k.fn === "mean" ? k.width : 1),
              ]);
            }
          } else if (k.op === "gather") {
            for (let r = 0; r < rows; r++) {
              const i = get(views[1]!, s, r, 0);
              for (let j = 0; j < k.width; j++)
                out.push([views[2]!, r, j, i < 0 ? 0 : get(views[0]!, s, i, j)]);
            }
          } else {
            const N = tableRows;
            const acc = new Float64Array(N * k.width);
            for (let r = 0; r < rows; r++) {
              const i = get(views[0]!, s, r, 0);
              if (i >= 0) for (let j = 0; j < k.width; j++) acc[i * k.width + j]! += get(views[1]!, s, r, j);
            }
            acc.forEach((x, q) => out.push([views[2]!, Math.floor(q / k.width), q % k.width, x]));
          }
          for (const [v, r, j, x] of out) set(v, s, r, j, x);
        },
      }),
    }),
    ...over,
  };
}
