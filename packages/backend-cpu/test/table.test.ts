import { expect, test } from "vitest";
import { cpu, difference, generator, Matrix, type Layout } from "./support.ts";

const seeded = generator(5);

/** Indices from −1 to tableRows − 1, some more than once. */
const indices = (tableRows: number) => (): number => Math.floor(((seeded() + 1) / 2) * (tableRows + 1)) - 1;

const LAYOUTS: readonly Layout[] = [{}, { offset: 2, pad: 3, slots: 2 }];

test("gather", () => {
  for (const layout of LAYOUTS) {
    for (const [rows, tableRows, width] of [
      [0, 3, 3],
      [1, 1, 1],
      [65, 5, 7],
      [5, 65, 63],
      [3, 0, 4],
    ] as const) {
      const [table, index] = [
        new Matrix(tableRows, width, seeded, layout),
        new Matrix(rows, 1, indices(tableRows), layout),
      ];
      const out = new Matrix(rows, width, seeded, layout);
      const bound = cpu
        .prepare({ op: "gather", width })
        .bind(rows, [table.view, index.view, out.view], tableRows);
      for (let step = 0; step < 3; step++) {
        bound.run(step);
        const expected = out.after((r, j) => {
          const row = index.at(r, 0, step);
          return row < 0 ? 0 : table.at(row, j, step);
        }, step);
        expect(difference(out.now(), expected)).toBeUndefined();
        out.contents.set(expected);
      }
    }
  }
});

test("scatterAdd", () => {
  for (const layout of LAYOUTS) {
    for (const [rows, tableRows, width] of [
      [0, 3, 3],
      [1, 1, 1],
      [65, 5, 7],
      [5, 65, 63],
      [3, 0, 4],
    ] as const) {
      for (const declared of [tableRows, "steps"] as const) {
        const [index, values] = [
          new Matrix(rows, 1, indices(tableRows), layout),
          new Matrix(rows, width, seeded, layout),
        ];
        const table = new Matrix(tableRows, width, seeded, layout);
        const kernel = { op: "scatterAdd", width, tableRows: declared } as const;
        const bound = cpu.prepare(kernel).bind(rows, [index.view, values.view, table.view], tableRows);
        for (let step = 0; step < 3; step++) {
          bound.run(step);
          const expected = table.after((row, j) => {
            let sum = 0;
            for (let r = 0; r < rows; r++) if (index.at(r, 0, step) === row) sum += values.at(r, j, step);
            return sum;
          }, step);
          expect(difference(table.now(), expected)).toBeUndefined();
          table.contents.set(expected);
        }
      }
    }
  }
});

test("an index that core should have refused reads and writes nothing else", () => {
  const [table, index, values] = [
    new Matrix(2, 2, seeded),
    new Matrix(3, 1, () => 2),
    new Matrix(3, 2, seeded),
  ];
  cpu.write(index.view.buffer, Float32Array.of(2, NaN, -7), 0);
  cpu.prepare({ op: "gather", width: 2 }).bind(3, [table.view, index.view, values.view], 2).run(0);
  expect(
    difference(
      values.now(),
      values.after(() => 0),
    ),
  ).toBeUndefined();
  cpu
    .prepare({ op: "scatterAdd", width: 2, tableRows: 2 })
    .bind(3, [index.view, values.view, table.view])
    .run(0);
  expect(
    difference(
      table.now(),
      table.after(() => 0),
    ),
  ).toBeUndefined();
});

test("rows of one index are added in order, and the sum is rounded once", () => {
  const sumOf = (...terms: number[]): number => {
    const [index, values] = [new Matrix(terms.length, 1, () => 0), new Matrix(terms.length, 1, () => 0)];
    const table = new Matrix(1, 1, () => 0);
    cpu.write(values.view.buffer, Float32Array.from(terms), 0);
    const kernel = { op: "scatterAdd", width: 1, tableRows: 1 } as const;
    cpu.prepare(kernel).bind(terms.length, [index.view, values.view, table.view]).run(0);
    return table.now()[0]!;
  };
  expect(sumOf(2 ** 60, -(2 ** 60), 1)).toBe(1);
  expect(sumOf(1, 2 ** 60, -(2 ** 60))).toBe(0);
  expect(sumOf(1, 2 ** -30, -1)).toBe(2 ** -30);
});
