/** Random kernels: their instructions, shapes and layouts. */
import type { Argument, Backend, GemmTerm, Instruction, Kernel } from "@recurra/core/internal";
import type { Draw } from "./draw.ts";
import { functionNames, meaning } from "./functions.ts";
import type { Case } from "./kernels.ts";
import type { Layout } from "./matrix.ts";

/** Sometimes, bind a kernel to the rows of several steps at once, as parts before and after a loop are. */
function spanning(draw: Draw, given: Case, isRowwise: (input: number) => boolean): Case {
  const { rows, kernel } = given;
  const divisors = [2, 3, 5, 7, 8, 11, 13, 16, rows].filter((n) => n > 1 && rows % n === 0);
  if (divisors.length === 0 || draw.chance(0.6)) return given;
  const span = draw.pick(divisors);
  const slots = span + draw.below(3);
  const spread = (l: Layout): Layout =>
    l.repeat === "row" || l.repeat === "scalar" ? l : { ...l, span, slots };
  const byRows = kernel.op !== "scatterAdd" && !(kernel.op === "gemm" && kernel.rows !== "rows");
  return {
    ...given,
    inputs: given.inputs.map((l, i) => (isRowwise(i) ? spread(l) : { ...l, slots: 1 })),
    outputs: given.outputs.map((l) => (byRows ? spread(l) : { ...l, slots: 1 })),
  };
}

const small = [0, 1, 2, 3, 5, 7];
const large = [63, 64, 65, 33];
const rowsFor = (draw: Draw, size: "small" | "large"): number =>
  draw.pick(size === "small" ? small : [...large, 1]);
const widthFor = (draw: Draw, size: "small" | "large"): number =>
  Math.max(1, draw.pick(size === "small" ? small : [...large, 17]));

/** Instructions over inputs whose results stay within bounds on samples, so that nothing overflows or reaches a pole. */
function randomInstructions(draw: Draw, inputs: number, count: number): Instruction[] {
  const samples = 24;
  const given = Array.from({ length: inputs }, () =>
    Array.from({ length: samples }, () => draw.between(-2, 2)),
  );
  const results: number[][] = [];
  const instructions: Instruction[] = [];
  const sampleOf = (a: Argument, s: number): number =>
    "input" in a ? given[a.input]![s]! : "result" in a ? results[a.result]![s]! : a.constant;
  while (instructions.length < count) {
    const fn = draw.pick(functionNames);
    const args = Array.from({ length: meaning[fn].arity }, (_, i): Argument => {
      if (draw.chance(0.12)) return { constant: draw.pick([0, 1, -1, 0.5, 2, 0.1, -3.7]) };
      // Every input is used once before any is used twice.
      const unused = instructions.length * 2 + i;
      if (unused < inputs && draw.chance(0.8)) return { input: unused };
      return results.length > 0 && draw.chance(0.6)
        ? { result: Math.max(0, results.length - 1 - draw.below(4)) }
        : { input: draw.below(inputs) };
    });
    if (args.every((a) => "constant" in a)) continue;
    const operands = Array.from({ length: samples }, (_, s) => args.map((a) => sampleOf(a, s)));
    if (!operands.every((values) => meaning[fn].safe(...(values as [number, number, number])))) continue;
    const values = operands.map(([a = 0, b = 0, c = 0]) => meaning[fn].value(a, b, c));
    if (!values.every((v) => Math.abs(v) <= 50)) continue;
    results.push(values);
    instructions.push({ fn, args });
  }
  return instructions;
}

export function randomMap(draw: Draw, size: "small" | "large", { limits, inPlace }: Backend): Case {
  const [rows, width] = [rowsFor(draw, size), widthFor(draw, size)];
  const inputs = Math.min(draw.chance(0.1) ? 16 : draw.whole(1, 6), limits.maps?.inputs ?? Infinity);
  const instructions = randomInstructions(draw, inputs, draw.whole(1, 14));
  const wanted = Math.min(draw.whole(1, 4), limits.maps?.outputs ?? Infinity, instructions.length);
  const outputs = draw.shuffled(instructions.map((_, i) => i)).slice(0, wanted);
  if (!outputs.includes(instructions.length - 1)) outputs[0] = instructions.length - 1;
  const layouts = Array.from({ length: inputs }, (): Layout => {
    return { rows, width, repeat: draw.pick(["none", "none", "none", "row", "column", "scalar"] as const) };
  });
  const kernel: Kernel = { op: "map", width, inputs, instructions, outputs };
  const whole = layouts.findIndex((l) => l.repeat === "none");
  const made: Case = {
    kernel,
    rows,
    inputs: layouts,
    outputs: outputs.map(() => ({ rows, width })),
    ...(inPlace &&
      whole >= 0 &&
      draw.chance(0.5) && { inPlace: { input: whole, output: draw.below(outputs.length) } }),
  };
  return spanning(draw, made, () => true);
}

/** Rows by a matrix, one or several products in a sum, with or without an addend. */
export function randomGemm(draw: Draw, size: "small" | "large"): Case {
  const [rows, width] = [rowsFor(draw, size), widthFor(draw, size)];
  const inputs: Layout[] = [];
  const addend = draw.chance(0.6);
  if (addend) inputs.push({ rows, width, repeat: draw.pick(["none", "row", "row", "column", "scalar"]) });
  const terms = Array.from({ length: draw.pick([1, 1, 2, 3]) }, (): GemmTerm => {
    const depth = widthFor(draw, size);
    const transposeB = draw.chance(0.6);
    inputs.push({ rows, width: depth, repeat: draw.chance(0.15) ? "row" : "none" });
    inputs.push({
      rows: transposeB ? width : depth,
      width: transposeB ? depth : width,
      slots: draw.pick([1, 1, 2]),
    });
    return { a: inputs.length - 2, b: inputs.length - 1, transposeA: false, transposeB, depth };
  });
  const kernel: Kernel = { op: "gemm", rows: "rows", width, addend, terms };
  const made: Case = { kernel, rows, inputs, outputs: [{ rows, width }] };
  return spanning(draw, made, (i) => (addend && i === 0) || terms.some(({ a }) => a === i));
}

/** Sums over rows, as gradients of parameters are: Σ δ xᵀ, and Σ δ where the left operand is a single repeated 1. */
export function randomOuter(draw: Draw, size: "small" | "large"): Case {
  const rows = rowsFor(draw, size);
  const vector = draw.chance(0.4);
  const [height, width] = [vector ? 1 : widthFor(draw, size), widthFor(draw, size)];
  const inputs: Layout[] = [];
  const addend = draw.chance(0.4);
  if (addend) inputs.push({ rows: height, width, repeat: draw.pick(["none", "row", "scalar"]) });
  const terms = Array.from({ length: draw.pick([1, 1, 2]) }, (): GemmTerm => {
    inputs.push({ rows, width: height, repeat: vector ? "scalar" : "none" });
    inputs.push({ rows, width });
    return { a: inputs.length - 2, b: inputs.length - 1, transposeA: true, transposeB: false, depth: "rows" };
  });
  const kernel: Kernel = { op: "gemm", rows: height, width, addend, terms };
  const made: Case = { kernel, rows, inputs, outputs: [{ rows: height, width }] };
  return spanning(draw, made, (i) => !addend || i > 0);
}

export function randomReduce(draw: Draw, size: "small" | "large"): Case {
  const [rows, width] = [rowsFor(draw, size), widthFor(draw, size)];
  const fn = draw.pick(["sum", "mean", "max"] as const);
  const inputs: Layout[] = [{ rows, width, repeat: draw.pick(["none", "none", "none", "row"]) }];
  // Rows of negative numbers only, too: a maximum mustn't start at 0.
  const shift = draw.pick([0, -3]);
  const made: Case = {
    kernel: { op: "reduce", fn, width },
    rows,
    inputs,
    outputs: [{ rows, width: 1 }],
    values: (_, d) => d.between(-2, 2) + shift,
  };
  return spanning(draw, made, () => true);
}

/** Tables are sometimes longer than 16 bits can count. */
const tableFor = (draw: Draw, size: "small" | "large"): number =>
  size === "large" && draw.chance(0.07) ? 66_001 : Math.max(1, rowsFor(draw, size));
const index = (draw: Draw, tableRows: number): number =>
  draw.chance(0.15) ? -1 : draw.chance(0.2) ? tableRows - 1 : draw.below(tableRows);

export function randomGather(draw: Draw, size: "small" | "large"): Case {
  const [rows, tableRows] = [rowsFor(draw, size), tableFor(draw, size)];
  const width = tableRows > 1000 ? 1 : widthFor(draw, size);
  const made: Case = {
    kernel: { op: "gather", width },
    rows,
    tableRows,
    inputs: [
      { rows: tableRows, width },
      { rows, width: 1 },
    ],
    outputs: [{ rows, width }],
    values: (input, d) => (input === 1 ? index(d, tableRows) : d.between(-2, 2)),
  };
  return spanning(draw, made, (i) => i === 1);
}

export function randomScatterAdd(draw: Draw, size: "small" | "large"): Case {
  const [rows, tableRows] = [rowsFor(draw, size), tableFor(draw, size)];
  const width = tableRows > 1000 ? 1 : widthFor(draw, size);
  const steps = draw.chance(0.5);
  const made: Case = {
    kernel: { op: "scatterAdd", width, tableRows: steps ? "steps" : tableRows },
    rows,
    tableRows,
    inputs: [
      { rows, width: 1 },
      { rows, width },
    ],
    outputs: [{ rows: tableRows, width }],
    // Few different rows, so that several meet in one.
    values: (input, d) =>
      input === 0 ? index(d, d.chance(0.5) ? Math.min(3, tableRows) : tableRows) : d.between(-2, 2),
  };
  return spanning(draw, made, () => true);
}
