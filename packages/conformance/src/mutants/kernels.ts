/** Faults in kernels other than their arithmetic: tails, tables, views. */
import type { Kernel } from "@recurra/core/internal";
import { forward } from "../wrap.ts";
import {
  boundFault,
  kernelFault,
  mutant,
  resultFault,
  runFault,
  withKernels,
  type Mutant,
} from "./mutant.ts";

/** Keep what was there before, in some rows or columns. */
const stale = (
  name: string,
  what: string,
  op: Kernel["op"],
  keeps: (r: number, j: number, rows: number, width: number) => boolean,
): Mutant =>
  resultFault(name, what, ({ kernel, rows }, before, after) => {
    if (kernel.op !== op) return undefined;
    const width = op === "reduce" ? 1 : (kernel as { width: number }).width;
    return after.map((v, i) => (keeps(Math.floor(i / width), i % width, rows, width) ? before[i]! : v));
  });

export const tailMutants: readonly Mutant[] = [
  stale(
    "tail columns of a map",
    "leaves the last columns, past a multiple of 4, as they were",
    "map",
    (_, j, __, width) => width % 4 > 0 && j >= width - (width % 4),
  ),
  stale(
    "tail rows of a map",
    "leaves the last rows, past a multiple of 4, as they were",
    "map",
    (r, _, rows) => rows % 4 > 0 && r >= rows - (rows % 4),
  ),
  stale(
    "tail rows of a gemm",
    "leaves the last rows, past a multiple of 2, as they were",
    "gemm",
    (r, _, rows) => rows % 2 > 0 && r === rows - 1,
  ),
  stale(
    "tail columns of a gemm",
    "leaves the last columns, past a multiple of 4, as they were",
    "gemm",
    (_, j, __, width) => width % 4 > 0 && j >= width - (width % 4),
  ),
  stale("last row of a reduce", "leaves the last row as it was", "reduce", (r, _, rows) => r === rows - 1),
  stale("last row of a gather", "leaves the last row as it was", "gather", (r, _, rows) => r === rows - 1),
];

export const tableMutants: readonly Mutant[] = [
  kernelFault("last column of a reduce", "forgets the last column", (kernel) =>
    kernel.op === "reduce" && kernel.width > 1 ? { ...kernel, width: kernel.width - 1 } : kernel,
  ),
  resultFault("mean over the wrong axis", "divides by the number of rows", ({ kernel, rows }, _, after) =>
    kernel.op === "reduce" && kernel.fn === "mean" ? after.map((v) => (v * kernel.width) / rows) : undefined,
  ),
  resultFault("maximum from 0", "starts a maximum at 0", ({ kernel }, _, after) =>
    kernel.op === "reduce" && kernel.fn === "max" ? after.map((v) => Math.max(v, 0)) : undefined,
  ),
  resultFault("gather of −1", "gives the first row for −1", (site, _, after, step) => {
    const { kernel, rows } = site;
    if (kernel.op !== "gather") return undefined;
    const [first, index] = [
      site.get(site.inputs[0]!, 1, kernel.width, step),
      site.get(site.inputs[1]!, rows, 1, step),
    ];
    return after.map((v, i) => (index[Math.floor(i / kernel.width)] === -1 ? first[i % kernel.width]! : v));
  }),
  resultFault(
    "duplicates overwrite",
    "scatterAdd keeps the last of several values for one row",
    (site, _, after, step) => {
      const { kernel, rows } = site;
      if (kernel.op !== "scatterAdd") return undefined;
      const { width } = kernel;
      const [index, values] = [
        site.get(site.inputs[0]!, rows, 1, step),
        site.get(site.inputs[1]!, rows, width, step),
      ];
      index.forEach(
        (row, r) => row >= 0 && after.set(values.subarray(r * width, (r + 1) * width), row * width),
      );
      return after;
    },
  ),
  resultFault("table not cleared", "scatterAdd adds to what was in the table", ({ kernel }, before, after) =>
    kernel.op === "scatterAdd" ? after.map((v, i) => v + before[i]!) : undefined,
  ),
  resultFault("scatterAdd of −1", "adds values for −1 to the last row", (site, _, after, step) => {
    const { kernel, rows, tableRows } = site;
    if (kernel.op !== "scatterAdd") return undefined;
    const { width } = kernel;
    const [index, values] = [
      site.get(site.inputs[0]!, rows, 1, step),
      site.get(site.inputs[1]!, rows, width, step),
    ];
    index.forEach((row, r) => {
      if (row < 0)
        for (let j = 0; j < width; j++) after[(tableRows - 1) * width + j]! += values[r * width + j]!;
    });
    return after;
  }),
];

export const viewMutants: readonly Mutant[] = [
  runFault(
    "a step too far",
    "reads and writes the slots of the next step",
    (site) => (step) => site.run(step + 1),
  ),
  boundFault("slots of the first step", "writes every step to the first slot", (kernel, _, all) => {
    const outputs = kernel.op === "map" ? kernel.outputs.length : 1;
    return { views: all.map((v, i) => (i < all.length - outputs ? v : { ...v, slots: 1 })) };
  }),
  boundFault("column slices", "forgets the offset of an output that is a column slice", (kernel, _, all) => {
    const outputs = kernel.op === "map" ? kernel.outputs.length : 1;
    return { views: all.map((v, i) => (i < all.length - outputs ? v : { ...v, offset: 0 })) };
  }),
  mutant(
    "kernel",
    "in place too early",
    "writes the first output of a map in place before the others are computed",
    (backend) =>
      withKernels(forward(backend, { inPlace: true }), (kernel) => {
        const whole = backend.prepare(kernel);
        if (kernel.op !== "map" || kernel.outputs.length < 2) return whole;
        const each = kernel.outputs.map((output) => backend.prepare({ ...kernel, outputs: [output] }));
        return {
          bind(rows, all) {
            const inputs = all.slice(0, kernel.inputs);
            const runs = each.map((k, i) => k.bind(rows, [...inputs, all[kernel.inputs + i]!]));
            return { run: (step) => runs.forEach((r) => r.run(step)) };
          },
        };
      }),
  ),
];
