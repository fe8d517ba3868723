import { expect, test } from "vitest";
import { cpu, difference, generator, Matrix, type Layout } from "./support.ts";

const seeded = generator(4);

const meanings = {
  sum: (row: readonly number[]) => row.reduce((a, b) => a + b, 0),
  mean: (row: readonly number[]) => row.reduce((a, b) => a + b, 0) / row.length,
  max: (row: readonly number[]) => Math.max(...row),
};

for (const fn of ["sum", "mean", "max"] as const) {
  const check = (rows: number, width: number, input: Layout, out: Layout, fill = seeded): void => {
    const [values, result] = [new Matrix(rows, width, fill, input), new Matrix(rows, 1, seeded, out)];
    const bound = cpu.prepare({ op: "reduce", fn, width }).bind(rows, [values.view, result.view]);
    for (let step = 0; step < 3; step++) {
      bound.run(step);
      const expected = result.after(
        (r) => meanings[fn](Array.from({ length: width }, (_, j) => values.at(r, j, step))),
        step,
      );
      expect(difference(result.now(), expected)).toBeUndefined();
      result.contents.set(expected);
    }
  };

  test(`${fn}, odd shapes`, () => {
    for (const rows of [0, 1, 3, 5, 63, 65]) {
      for (const width of [0, 1, 3, 5, 63, 65]) check(rows, width, {}, {});
    }
  });

  test(`${fn} of slices, steps and repeated elements`, () => {
    check(5, 7, { offset: 3, pad: 2, slots: 2 }, { pad: 3, slots: 3 });
    check(5, 7, { rowStride: 0 }, {});
    check(5, 7, { columnStride: 0, rowStride: 1 }, {});
    check(5, 7, { columnStride: 0, rowStride: 0 }, {});
  });

  test(`${fn}: NaN stays in its own row`, () => {
    let n = 0;
    check(5, 7, {}, {}, () => (n++ === 9 ? NaN : seeded()));
    n = 0;
    check(5, 7, {}, {}, () => (n++ === 13 ? NaN : seeded()));
  });
}

test("the sum is in order, and rounded once", () => {
  const sumOf = (...terms: [number, number, number]): number => {
    const [values, result] = [new Matrix(1, 3, () => 0), new Matrix(1, 1, () => 0)];
    cpu.write(values.view.buffer, Float32Array.from(terms), 0);
    cpu.prepare({ op: "reduce", fn: "sum", width: 3 }).bind(1, [values.view, result.view]).run(0);
    return result.now()[0]!;
  };
  expect(sumOf(2 ** 60, -(2 ** 60), 1)).toBe(1);
  expect(sumOf(1, 2 ** 60, -(2 ** 60))).toBe(0);
  expect(sumOf(1, 2 ** -30, -1)).toBe(2 ** -30);
});
