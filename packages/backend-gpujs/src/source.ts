/**
 * Kernels printed as gpu.js's sources. Strings, never functions: bundlers rename what a function calls, and coverage tools write
 * counters into it. Sizes, offsets and constants are arguments, so that one compiled kernel serves all sizes, all steps and every
 * program with the same equations.
 *
 * An input `a` is read as one long row: element (r, j) at o + r · rowStride + j · columnStride. The result's row is y, or y and z where
 * there are more rows than a texture has; what lies past the last row is computed and never looked at.
 */
import type { Argument, GemmKernel, Kernel, MapKernel, ReduceName } from "@recurra/core";
import { dialect } from "./dialect.ts";
import type { ArgumentType } from "./gpujs.ts";

export interface Source {
  readonly text: string;
  /** Results besides the kernel's own, by the functions that they pass through. */
  readonly subKernels: Readonly<Record<string, string>>;
  /** In order: four of each input (its numbers, offset, row stride, column stride), lengths of loops, constants. */
  readonly types: Readonly<Record<string, ArgumentType>>;
  /** Those of them that are an input's numbers: how they are given is the device's choice. */
  readonly inputs: readonly string[];
  /** Values of the constants. */
  readonly constants: readonly number[];
}

const ROW = "  const row = this.thread.y + this.thread.z * this.output.y;";

/** @param lengths how many loops have a length of their own */
function source(
  inputs: number,
  lengths: number,
  body: readonly string[],
  constants: readonly number[] = [],
  subKernels: readonly string[] = [],
): Source {
  const types: Record<string, ArgumentType> = {};
  for (let i = 0; i < inputs; i++)
    Object.assign(types, {
      [`a${i}`]: "Array",
      [`o${i}`]: "Integer",
      [`r${i}`]: "Integer",
      [`c${i}`]: "Integer",
    });
  for (let i = 0; i < lengths; i++) types[`n${i}`] = "Integer";
  constants.forEach((_, i) => (types[`k${i}`] = "Float"));
  return {
    text: [
      `function (${Object.keys(types).join(", ")}) {`,
      ROW,
      ...body.map((line) => `  ${line}`),
      "}",
    ].join("\n"),
    subKernels: Object.fromEntries(
      subKernels.map((name) => [name, `function ${name}(value) { return value; }`]),
    ),
    types,
    inputs: Array.from({ length: inputs }, (_, i) => `a${i}`),
    constants,
  };
}

/** Element (row, x) of an input. */
const element = (i: number, row = "row", column = "this.thread.x"): string =>
  `a${i}[o${i} + ${row} * r${i} + ${column} * c${i}]`;

/** @param float32 whether kernels compute in float32; else each value is rounded */
function mapSource({ inputs, instructions, outputs }: MapKernel, float32: boolean): Source {
  const constants: number[] = [];
  const constant = (value: number): string => {
    let at = constants.findIndex((known) => Object.is(known, value));
    if (at < 0) at = constants.push(value) - 1;
    return `k${at}`;
  };
  const rounded = (value: string): string => (float32 ? value : `Math.fround(${value})`);
  const print = (a: Argument): string =>
    "input" in a ? `x${a.input}` : "result" in a ? `v${a.result}` : constant(a.constant);
  const body = [
    ...Array.from({ length: inputs }, (_, i) => `const x${i} = ${element(i)};`),
    ...instructions.map(({ fn, args }, i) => `const v${i} = ${rounded(dialect[fn](...args.map(print)))};`),
    ...outputs.slice(1).map((result, i) => `out${i + 1}(v${result});`),
    `return v${outputs[0]};`,
  ];
  const subKernels = outputs.slice(1).map((_, i) => `out${i + 1}`);
  return source(inputs, 0, body, constants, subKernels);
}

/**
 * Strides say what is transposed: op(A)(r, k) at o + r · rowStride + k · columnStride, op(B)(k, j) at o + j · rowStride + k ·
 * columnStride. The addend comes first.
 */
export function gemmSource({ addend, terms }: Pick<GemmKernel, "addend" | "terms">): Source {
  const first = addend ? 1 : 0;
  const loops = terms.flatMap((_, t) => {
    const [a, b] = [first + 2 * t, first + 2 * t + 1];
    return [
      `const from${a} = o${a} + row * r${a};`,
      `const from${b} = o${b} + this.thread.x * r${b};`,
      // A name of its own: gpu.js declares all loops' counters side by side.
      `for (let at${t} = 0; at${t} < n${t}; at${t}++) {`,
      `  sum = sum + a${a}[from${a} + at${t} * c${a}] * a${b}[from${b} + at${t} * c${b}];`,
      "}",
    ];
  });
  const start = addend ? element(0) : "0.0";
  return source(first + 2 * terms.length, terms.length, [`let sum = ${start};`, ...loops, "return sum;"]);
}

function reduceSource(fn: ReduceName): Source {
  const next = element(0, "row", "j");
  return source(1, 1, [
    `let result = a0[o0 + row * r0];`,
    `for (let j = 1; j < n0; j++) {`,
    `  result = ${fn === "max" ? dialect.max("result", next) : `result + ${next}`};`,
    `}`,
    fn === "mean" ? "return result / n0;" : "return result;",
  ]);
}

/** Inputs: table, index; n0: rows of the table. */
const gatherSource = (): Source =>
  source(2, 1, [
    // What a branch reads from a texture isn't sure where neighbours take the other: read first, then choose.
    `const wanted = ${element(1, "row", "0")};`,
    `const found = isLessEqual(0.0, wanted) * isLess(wanted, n0);`,
    `const value = ${element(0, "whole(wanted * found)")};`,
    `return choose(found, value, 0.0);`,
  ]);

/**
 * A GPU can't scatter; each row of the table gathers instead. Inputs: where each row's list begins (and ends, where the next one
 * begins), the lists, which hold rows of the values in order, and the values.
 */
const scatterAddSource = (): Source =>
  source(3, 0, [
    `const from = whole(${element(0, "row", "0")});`,
    `const to = whole(${element(0, "(row + 1)", "0")});`,
    `let sum = 0.0;`,
    // From 0 on, gpu.js would take what a call gives for a constant, which WebGL 1 refuses as a loop's bound.
    `for (let k = from; k < to; k++) {`,
    `  const r = whole(${element(1, "k", "0")});`,
    `  sum = sum + ${element(2, "r")};`,
    `}`,
    `return sum;`,
  ]);

/** The same without lists, of an index that only the device knows: each row of the table looks through all. n0: how many there are. */
const searchedScatterAddSource = (): Source =>
  source(2, 1, [
    `let sum = 0.0;`,
    `for (let k = 0; k < n0; k++) {`,
    `  const mine = isEqual(${element(0, "k", "0")}, row);`,
    `  sum = choose(mine, sum + ${element(1, "k")}, sum);`,
    `}`,
    `return sum;`,
  ]);

/** @param listed whether lists of rows can be made for scatterAdd */
export function sourceOf(kernel: Exclude<Kernel, GemmKernel>, float32: boolean, listed: boolean): Source {
  switch (kernel.op) {
    case "map":
      return mapSource(kernel, float32);
    case "reduce":
      return reduceSource(kernel.fn);
    case "gather":
      return gatherSource();
    case "scatterAdd":
      return listed ? scatterAddSource() : searchedScatterAddSource();
  }
}
