/** Faults in sums of products. */
import type { GemmKernel } from "@recurra/core/internal";
import { forward } from "../wrap.ts";
import { boundFault, kernelFault, mutant, resultFault, runFault, type Mutant, type Site } from "./mutant.ts";

const gemmFault = (name: string, what: string, change: (kernel: GemmKernel) => GemmKernel): Mutant =>
  kernelFault(name, what, (kernel) => (kernel.op === "gemm" ? change(kernel) : kernel));

/** Sums from the last term to the first, in float32. */
function backwards(site: Site, step: number): void {
  const { kernel, rows } = site;
  if (kernel.op !== "gemm") return site.run(step);
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

/** Says honestly that it accumulates in float32, so that every result is within its bounds; only the bits tell. */
function reordered(name: string, what: string, when: (rows: number, turn: number) => boolean): Mutant {
  return mutant("program", name, what, (backend) => {
    let turn = 0;
    const honest = forward(backend, { accuracy: { ...backend.accuracy, accumulate: 2 ** -24 } });
    return runFault(
      "",
      "",
      (site) => (step) => (when(site.rows, turn++) ? backwards(site, step) : site.run(step)),
    ).wrap(honest);
  });
}

export const sumMutants: readonly Mutant[] = [
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
  reordered(
    "order depends on the batch",
    "sums in another order when there are several rows",
    (rows) => rows > 1,
  ),
  reordered(
    "order changes from run to run",
    "sums in another order at some runs",
    (_, turn) => Math.imul(turn, 0x9e3779b1) < 0,
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
