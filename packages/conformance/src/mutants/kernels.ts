/** Faults in the kernels: tails, accumulation, order of sums, functions, tables, views. */
import type { GemmKernel, Kernel, View } from "@recurra/core/internal";
import { forward } from "../wrap.ts";
import {
  functionFault,
  kernelFault,
  mutant,
  resultFault,
  runFault,
  withKernels,
  type Mutant,
  type Site,
} from "./mutant.ts";

const constant = (value: number) => ({ constant: value });

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

const gemmFault = (name: string, what: string, change: (kernel: GemmKernel) => GemmKernel): Mutant =>
  kernelFault(name, what, (kernel) => (kernel.op === "gemm" ? change(kernel) : kernel));

/** A bound kernel with other views or rows. */
const boundFault = (
  name: string,
  what: string,
  change: (
    kernel: Kernel,
    rows: number,
    views: readonly View[],
  ) => { rows?: number; views?: readonly View[] },
): Mutant =>
  mutant("kernel", name, what, (backend) =>
    withKernels(backend, (kernel) => {
      const prepared = backend.prepare(kernel);
      return {
        bind(rows, views, tableRows) {
          const changed = change(kernel, rows, views);
          return prepared.bind(changed.rows ?? rows, changed.views ?? views, tableRows);
        },
      };
    }),
  );

/** The gemm in two halves of each sum, the first rounded to float32 on its way; undefined where there is nothing to halve. */
function inHalves(site: Site, step: number): void {
  const { kernel, rows } = site;
  site.run(step);
  if (kernel.op !== "gemm") return;
  const [height, width] = [kernel.rows === "rows" ? rows : kernel.rows, kernel.width];
  const sums = kernel.addend
    ? site.get(site.inputs[0]!, height, width, step)
    : new Float32Array(height * width);
  for (const { a, b, transposeA, transposeB, depth } of kernel.terms) {
    const K = depth === "rows" ? rows : depth;
    const A = transposeA
      ? site.get(site.inputs[a]!, K, height, step)
      : site.get(site.inputs[a]!, height, K, step);
    const B = transposeB
      ? site.get(site.inputs[b]!, width, K, step)
      : site.get(site.inputs[b]!, K, width, step);
    for (let r = 0; r < height; r++)
      for (let j = 0; j < width; j++)
        for (let k = K - 1; k >= 0; k--)
          sums[r * width + j]! +=
            (transposeA ? A[k * height + r]! : A[r * K + k]!) *
            (transposeB ? B[j * K + k]! : B[k * width + j]!);
  }
  site.put(site.outputs[0]!, height, width, step, sums);
}

const tails: readonly Mutant[] = [
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

const sums: readonly Mutant[] = [
  gemmFault("tail of a sum", "forgets the last term of a sum of odd length", (kernel) => ({
    ...kernel,
    terms: kernel.terms.map((t) =>
      t.depth !== "rows" && t.depth > 1 && t.depth % 2 === 1 ? { ...t, depth: t.depth - 1 } : t,
    ),
  })),
  gemmFault("one product of several", "forgets the last of several products in a sum", (kernel) =>
    kernel.terms.length > 1 ? { ...kernel, terms: kernel.terms.slice(0, -1) } : kernel,
  ),
  boundFault("last row of a sum over rows", "forgets the last row in Σ δ xᵀ", (kernel, rows) =>
    kernel.op === "gemm" && kernel.rows !== "rows" ? { rows: Math.max(0, rows - 1) } : {},
  ),
  resultFault("accumulate", "adds to what was there instead of overwriting", ({ kernel }, before, after) =>
    kernel.op === "gemm" && !kernel.addend ? after.map((v, i) => v + before[i]!) : undefined,
  ),
  resultFault(
    "mean gradient",
    "divides sums over rows by the number of rows",
    ({ kernel, rows }, _, after) =>
      kernel.op === "gemm" && kernel.rows !== "rows" ? after.map((v) => v / rows) : undefined,
  ),
  resultFault("addend twice", "adds the addend a second time", (site, _, after, step) => {
    const { kernel, rows } = site;
    if (kernel.op !== "gemm" || !kernel.addend) return undefined;
    const addend = site.get(site.inputs[0]!, kernel.rows === "rows" ? rows : kernel.rows, kernel.width, step);
    return after.map((v, i) => v + addend[i]!);
  }),
  resultFault(
    "bias for the first row",
    "adds an addend that is one repeated row to the first row only",
    (site, _, after, step) => {
      const { kernel, rows } = site;
      if (kernel.op !== "gemm" || !kernel.addend || site.inputs[0]!.rowStride !== 0) return undefined;
      const addend = site.get(
        site.inputs[0]!,
        kernel.rows === "rows" ? rows : kernel.rows,
        kernel.width,
        step,
      );
      return after.map((v, i) => (i < kernel.width ? v : v - addend[i]!));
    },
  ),
  runFault("order depends on the batch", "sums in another order when there are several rows", (site) =>
    site.rows > 1 ? (step) => inHalves(site, step) : undefined,
  ),
  mutant(
    "kernel",
    "order changes from run to run",
    "sums in another order at every second run",
    (backend) => {
      let turn = 0;
      return runFault(
        "",
        "",
        (site) => (step) => (turn++ % 2 === 1 ? inHalves(site, step) : site.run(step)),
      ).wrap(backend);
    },
  ),
  resultFault(
    "0 · NaN of a neighbour",
    "adds 0 times the next row, so that its NaN comes in",
    (site, _, after, step) => {
      const { kernel, rows } = site;
      if (kernel.op !== "gemm" || kernel.rows !== "rows" || rows < 2) return undefined;
      const { a, depth } = kernel.terms[0]!;
      const A = site.get(site.inputs[a]!, rows, depth as number, step);
      return after.map((v, i) => {
        const neighbour = (Math.floor(i / kernel.width) + 1) % rows;
        return (
          v +
          0 *
            A.subarray(neighbour * (depth as number), (neighbour + 1) * (depth as number)).reduce(
              (sum, x) => sum + x,
              0,
            )
        );
      });
    },
  ),
];

const functions: readonly Mutant[] = [
  functionFault("tanh", "tanh a little off", "tanh is 1e-5 too large", (emit, a) =>
    emit("times", emit("tanh", a), constant(1 + 1e-5)),
  ),
  functionFault("tanh", "tanh clamped early", "clamps tanh's operand to ±4", (emit, a) =>
    emit("tanh", emit("clamp", a, constant(-4), constant(4))),
  ),
  functionFault("sigmoid", "sigmoid clamped early", "clamps sigmoid's operand to ±8", (emit, a) =>
    emit("sigmoid", emit("clamp", a, constant(-8), constant(8))),
  ),
  functionFault("sigmoid", "sigmoid overflows", "exp(v) / (1 + exp(v)), NaN for large v", (emit, a) => {
    const e = emit("exp", a);
    return emit("over", e, emit("plus", e, constant(1)));
  }),
  functionFault("softplus", "softplus overflows", "log(1 + exp(v)), ∞ for large v", (emit, a) =>
    emit("log", emit("plus", emit("exp", a), constant(1))),
  ),
  functionFault("exp", "exp saturates", "clamps exp's operand to 30", (emit, a) =>
    emit("exp", emit("min", a, constant(30))),
  ),
  functionFault(
    "select",
    "select by arithmetic",
    "c · a + (1 − c) · b, so that what isn't chosen matters when it is NaN",
    (emit, c, a, b) => emit("plus", emit("times", c!, a!), emit("times", emit("minus", constant(1), c!), b!)),
  ),
  functionFault("relu", "relu swallows NaN", "relu(NaN) is 0", (emit, a) =>
    emit("select", emit("less", constant(0), a), a, constant(0)),
  ),
  functionFault("less", "less or equal", "less(a, a) is 1", (emit, a, b) => emit("lessEqual", a, b!)),
  functionFault("clamp", "clamp without its lower limit", "clamps from above only", (emit, a, _, high) =>
    emit("min", a, high!),
  ),
  functionFault(
    "over",
    "division by an approximate reciprocal",
    "the quotient is 1e-5 too small",
    (emit, a, b) => emit("times", emit("over", a, b!), constant(1 - 1e-5)),
  ),
  functionFault("max", "max of absolute values", "max(|a|, b)", (emit, a, b) =>
    emit("max", emit("abs", a), b!),
  ),
  resultFault(
    "subnormals flushed",
    "flushes subnormal results to zero without saying so",
    ({ kernel }, _, after) =>
      kernel.op === "map" ? after.map((v) => (Math.abs(v) < 2 ** -126 ? 0 : v)) : undefined,
  ),
];

const tables: readonly Mutant[] = [
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

const views: readonly Mutant[] = [
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
  mutant("kernel", "views unchecked", "binds any view without looking", (backend) =>
    withKernels(backend, (kernel) => {
      const prepared = backend.prepare(kernel);
      return {
        bind(rows, all, tableRows) {
          try {
            return prepared.bind(rows, all, tableRows);
          } catch {
            return { run: () => undefined };
          }
        },
      };
    }),
  ),
];

export const kernelMutants: readonly Mutant[] = [...tails, ...sums, ...functions, ...tables, ...views];
