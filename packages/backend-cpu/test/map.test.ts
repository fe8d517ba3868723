// `map` against core's exact functions, each result rounded to float32: to the bit, for every function that rounds only once.
import type { Argument, FunctionName, Instruction, MapKernel } from "@recurra/core";
import { functionValues } from "@recurra/core/internal";
import { describe, expect, test } from "vitest";
import { cpu, difference, generator, Matrix, type Layout } from "./support.ts";

const ARITY = {
  ...{ copy: 1, neg: 1, relu: 1, abs: 1, sqrt: 1, rsqrt: 1, reciprocal: 1, log: 1 },
  ...{ plus: 2, minus: 2, times: 2, over: 2, max: 2, min: 2, less: 2, lessEqual: 2, equal: 2 },
  ...{ clamp: 3, select: 3 },
} as const;
const EXACT = Object.keys(ARITY) as (keyof typeof ARITY)[];

const seeded = generator(2);
const below = (n: number): number => Math.floor(((seeded() + 1) / 2) * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;

/** Now and then a value where functions part. */
const awkward = (): number =>
  below(8) ? seeded() : pick([0, -0, 1, NaN, Infinity, -Infinity, 2 ** -149, -(2 ** -130), 3e38, -1]);

/** What each output should hold at (row, column) of step `step`. */
function interpret(
  kernel: MapKernel,
  inputs: readonly Matrix[],
  row: number,
  column: number,
  step: number,
): number[] {
  const results: number[] = [];
  for (const { fn, args } of kernel.instructions) {
    const [a = NaN, b = NaN, c = NaN] = args.map((arg) => {
      if ("input" in arg) return inputs[arg.input]!.at(row, column, step);
      if ("result" in arg) return results[arg.result]!;
      return Math.fround(arg.constant);
    });
    results.push(Math.fround(functionValues[fn](a, b, c)));
  }
  return kernel.outputs.map((index) => results[index]!);
}

/** Run at steps 0 to 2 and compare every output buffer whole. `inPlace[o]`: the input whose place output o takes. */
function check(
  kernel: MapKernel,
  rows: number,
  inputs: readonly Matrix[],
  outLayout: Layout,
  inPlace: (number | undefined)[] = [],
): void {
  const outputs = kernel.outputs.map((_, o) => {
    const index = inPlace[o];
    return index === undefined ? new Matrix(rows, kernel.width, seeded, outLayout) : inputs[index]!;
  });
  const bound = cpu.prepare(kernel).bind(
    rows,
    [...inputs, ...outputs].map(({ view }) => view),
  );
  for (let step = 0; step < 3; step++) {
    const expected = outputs.map((out) => out.contents.slice());
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < kernel.width; column++) {
        const values = interpret(kernel, inputs, row, column, step);
        outputs.forEach((out, o) => (expected[o]![out.index(row, column, step)] = values[o]!));
      }
    }
    bound.run(step);
    outputs.forEach((out, o) => {
      expect(difference(out.now(), expected[o]!)).toBeUndefined();
      out.contents.set(expected[o]!);
    });
  }
  for (const matrix of [...inputs, ...outputs]) matrix.free();
}

const one = (fn: FunctionName, arity: number, width: number): MapKernel => ({
  op: "map",
  width,
  inputs: arity,
  instructions: [{ fn, args: [{ input: 0 }, { input: 1 }, { input: 2 }].slice(0, arity) }],
  outputs: [0],
});

describe("every function", () => {
  for (const fn of EXACT) {
    const arity = ARITY[fn];
    test(fn, () => {
      for (const [rows, width] of [
        [0, 3],
        [1, 0],
        [1, 1],
        [3, 5],
        [1, 700],
        [63, 65],
        [700, 1],
      ] as const) {
        const inputs = Array.from({ length: arity }, () => new Matrix(rows, width, awkward));
        check(one(fn, arity, width), rows, inputs, {});
      }
    });
    test(`${fn} of slices, repeated rows and columns, and scalars`, () => {
      const layouts: Layout[] = [
        { pad: 3, offset: 7, slots: 2 },
        { rowStride: 0, slots: 3 },
        { columnStride: 0, rowStride: 2 },
        { columnStride: 0, rowStride: 0 },
      ];
      for (const [rows, width] of [
        [5, 1],
        [3, 5],
        [7, 130],
        [2, 1100],
      ] as const) {
        for (let i = 0; i < 4; i++) {
          const inputs = Array.from(
            { length: arity },
            (_, n) => new Matrix(rows, width, awkward, layouts[(i + n) % 4]),
          );
          check(one(fn, arity, width), rows, inputs, pick([{}, { pad: 2, slots: 2, offset: 1 }]));
        }
      }
    });
  }
});

/** A program of random instructions; every fourth or so of its results is an output. */
function randomKernel(width: number): MapKernel {
  const inputs = 1 + below(4);
  const count = 1 + below(12);
  const instructions: Instruction[] = [];
  for (let index = 0; index < count; index++) {
    const fn = pick(EXACT);
    const argument = (): Argument => {
      const kind = below(6);
      if (kind === 0) return { constant: pick([0, 1, -0.5, 0.1, NaN, Infinity]) };
      return kind < 3 && index > 0 ? { result: below(index) } : { input: below(inputs) };
    };
    instructions.push({ fn, args: Array.from({ length: ARITY[fn] }, argument) });
  }
  const outputs = Array.from({ length: 1 + below(3) }, () => below(count));
  return { op: "map", width, inputs, instructions, outputs };
}

/** [rows, width]: within a block and over several, of rows and of columns. */
const SHAPES = [[1, 1], [2, 3], [65, 1], [65, 20], [5, 65], [1, 513], [3, 513]] as const; // prettier-ignore

describe("random programs", () => {
  test("apart from their inputs", () => {
    for (let n = 0; n < 80; n++) {
      const [rows, width] = pick(SHAPES);
      const kernel = randomKernel(width);
      const layout = (): Layout => ({
        offset: below(3),
        slots: 1 + below(2),
        ...pick([{}, { pad: below(4) }, { rowStride: 0 }, { columnStride: 0, rowStride: below(2) }] as const),
      });
      const inputs = Array.from({ length: kernel.inputs }, () => new Matrix(rows, width, awkward, layout()));
      check(kernel, rows, inputs, { pad: below(3), slots: 1 + below(3) });
    }
  });

  test("in the place of their inputs", () => {
    for (let n = 0; n < 80; n++) {
      const [rows, width] = pick(SHAPES);
      const kernel = randomKernel(width);
      const inputs = Array.from(
        { length: kernel.inputs },
        () => new Matrix(rows, width, awkward, { pad: below(3), slots: 2 }),
      );
      // Each output in the place of another input, so long as there are some.
      const shift = below(kernel.inputs);
      const places = kernel.outputs.map((_, o) =>
        o < kernel.inputs ? (o + shift) % kernel.inputs : undefined,
      );
      check(kernel, rows, inputs, {}, places);
    }
  });
});

test("outputs take the places of slices of one buffer that other slices are read from", () => {
  const [rows, width] = [5, 6];
  const gates = new Matrix(rows, 4 * width, seeded);
  const slices = [0, 1, 2, 3].map((i) => ({ ...gates.view, offset: i * width }));
  const swap: MapKernel = {
    op: "map",
    width,
    inputs: 4,
    instructions: [
      { fn: "plus", args: [{ input: 3 }, { input: 0 }] },
      { fn: "minus", args: [{ input: 0 }, { input: 1 }] },
      { fn: "times", args: [{ input: 1 }, { input: 2 }] },
    ],
    outputs: [0, 1, 2],
  };
  const [a, b, c, d] = slices as [
    (typeof slices)[0],
    (typeof slices)[0],
    (typeof slices)[0],
    (typeof slices)[0],
  ];
  cpu.prepare(swap).bind(rows, [a, b, c, d, a, c, b]).run(0);
  const expected = gates.after((row, column) => {
    const [slice, j] = [Math.floor(column / width), column % width];
    const g = (i: number): number => gates.at(row, i * width + j);
    return Math.fround([g(3) + g(0), g(1) * g(2), g(0) - g(1), g(3)][slice]!);
  });
  expect(difference(gates.now(), expected)).toBeUndefined();
});

test("two kernels that share registers don't disturb one another", () => {
  const chain = (constant: number): MapKernel => ({
    op: "map",
    width: 40,
    inputs: 1,
    instructions: [
      { fn: "plus", args: [{ input: 0 }, { constant }] },
      { fn: "times", args: [{ result: 0 }, { result: 0 }] },
      { fn: "minus", args: [{ result: 1 }, { result: 0 }] },
    ],
    outputs: [2],
  });
  for (const constant of [1, 2]) check(chain(constant), 30, [new Matrix(30, 40, seeded)], {});
});
