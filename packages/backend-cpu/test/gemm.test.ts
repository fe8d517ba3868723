// `gemm` against loops in float64: to the bit, since the order of the sum and its one rounding are fixed.
import type { GemmTerm } from "@recurra/core";
import { describe, expect, test } from "vitest";
import { cpu, difference, generator, Matrix, type Layout } from "./support.ts";

interface Product {
  readonly kind: "NT" | "NN" | "TN" | "TT";
  readonly depth: number;
  readonly a?: Layout;
  readonly b?: Layout;
}

interface Case {
  readonly rows: number;
  readonly width: number;
  readonly addend?: Layout | false;
  readonly out?: Layout;
  readonly products: readonly Product[];
}

const seeded = generator(1);

/** Run a case at steps 0 to 2 and compare the whole output buffer. */
function check({ rows, width, addend = {}, out: outLayout = {}, products }: Case): void {
  const over = products.some(({ kind }) => kind[0] === "T");
  const added = addend === false ? undefined : new Matrix(rows, width, seeded, addend);
  const operands = products.map(({ kind, depth, a, b }) => ({
    a: kind[0] === "T" ? new Matrix(depth, rows, seeded, a) : new Matrix(rows, depth, seeded, a),
    b: kind[1] === "T" ? new Matrix(width, depth, seeded, b) : new Matrix(depth, width, seeded, b),
  }));
  const out = new Matrix(rows, width, seeded, outLayout);
  const first = added ? 1 : 0;
  const terms = products.map(({ kind, depth }, i): GemmTerm => ({
    a: first + 2 * i,
    b: first + 2 * i + 1,
    transposeA: kind[0] === "T",
    transposeB: kind[1] === "T",
    depth: over ? "rows" : depth,
  }));
  const kernel = {
    op: "gemm",
    rows: over ? rows : "rows",
    width,
    addend: added !== undefined,
    terms,
  } as const;
  const views = [added, ...operands.flatMap(({ a, b }) => [a, b]), out].flatMap(
    (matrix) => matrix?.view ?? [],
  );
  const bound = cpu.prepare(kernel).bind(over ? (products[0]?.depth ?? 0) : rows, views);

  let expected = out.contents;
  for (let step = 0; step < 3; step++) {
    bound.run(step);
    const value = (r: number, j: number): number => {
      let sum = added ? added.at(r, j, step) : 0;
      products.forEach(({ kind, depth }, i) => {
        const { a, b } = operands[i]!;
        for (let k = 0; k < depth; k++) {
          const x = kind[0] === "T" ? a.at(k, r, step) : a.at(r, k, step);
          sum += x * (kind[1] === "T" ? b.at(j, k, step) : b.at(k, j, step));
        }
      });
      return sum;
    };
    out.contents.set(expected);
    expected = out.after(value, step);
    expect(difference(out.now(), expected)).toBeUndefined();
  }
  for (const matrix of [added, out, ...operands.flatMap(({ a, b }) => [a, b])]) matrix?.free();
}

const ODD = [0, 1, 3, 5, 6, 7, 63, 65];

describe("odd shapes", () => {
  for (const kind of ["NT", "NN", "TN", "TT"] as const) {
    test(kind, () => {
      for (const rows of ODD) {
        for (const width of ODD) {
          for (const depth of [0, 1, 5, 65]) check({ rows, width, products: [{ kind, depth }] });
        }
      }
    });
  }
});

describe("past one block", () => {
  test("of terms", () => {
    for (const rows of [1, 2, 9]) {
      check({ rows, width: 13, products: [{ kind: "NT", depth: 1027 }] });
      check({ rows, width: 13, products: [{ kind: "NN", depth: 1027 }] });
      check({ rows, width: 13, products: [{ kind: "TN", depth: 1027 }] });
    }
  });
  test("of rows", () => check({ rows: 259, width: 11, products: [{ kind: "NT", depth: 20 }] }));
  test("of columns", () => {
    check({ rows: 131, width: 1031, products: [{ kind: "NN", depth: 7 }] });
    check({ rows: 1, width: 65543, products: [{ kind: "NT", depth: 3 }] });
    check({ rows: 1, width: 65543, products: [{ kind: "TN", depth: 3 }] });
  });
});

describe("views", () => {
  for (const rows of [1, 4, 9]) {
    test(`slices of wider rows, offsets and steps, ${rows} rows`, () => {
      const layout = { offset: 5, pad: 4, slots: 2 };
      for (const kind of ["NT", "NN", "TN"] as const) {
        check({
          rows,
          width: 14,
          addend: layout,
          out: layout,
          products: [{ kind, depth: 10, a: layout, b: layout }],
        });
      }
    });
    test(`a bias, a mask and scalars, ${rows} rows`, () => {
      const products = [{ kind: "NT", depth: 10 }] as const;
      check({ rows, width: 14, addend: { rowStride: 0 }, products });
      check({ rows, width: 14, addend: { columnStride: 0, rowStride: 1 }, products });
      check({ rows, width: 14, addend: { columnStride: 0, rowStride: 0 }, products });
      check({ rows, width: 14, addend: false, products });
    });
    test(`repeated operands, ${rows} rows`, () => {
      const scalar = { columnStride: 0, rowStride: 0 } as const;
      check({ rows, width: 14, products: [{ kind: "TN", depth: 40, a: scalar }] });
      check({ rows, width: 14, products: [{ kind: "NT", depth: 40, b: { rowStride: 0 } }] });
      check({ rows, width: 14, products: [{ kind: "NN", depth: 40, b: { columnStride: 0, rowStride: 1 } }] });
    });
    test(`several products, ${rows} rows`, () => {
      const products = [
        { kind: "NT", depth: 20 },
        { kind: "NN", depth: 600 },
        { kind: "NT", depth: 1, b: { slots: 3 } },
      ] as const;
      check({ rows, width: 14, products });
      check({ rows, width: 14, products: [{ kind: "TN", depth: 20 }, { kind: "TN", depth: 20 }] }); // prettier-ignore
    });
  }
});

test("a row has the same bits at any batch size, in any place", () => {
  for (const kind of ["NT", "NN"] as const) {
    const [depth, width] = [300, 37];
    const b = kind === "NT" ? new Matrix(width, depth, seeded) : new Matrix(depth, width, seeded);
    const row = Float32Array.from({ length: depth }, seeded);
    const results = [1, 2, 5, 6, 7, 64, 129, 200].flatMap((rows) =>
      [0, Math.floor(rows / 2), rows - 1].map((place) => {
        const a = new Matrix(rows, depth, seeded);
        cpu.write(a.view.buffer, row, place * depth);
        const out = new Matrix(rows, width, seeded);
        const term = { a: 0, b: 1, transposeA: false, transposeB: kind === "NT", depth };
        const kernel = { op: "gemm", rows: "rows", width, addend: false, terms: [term] } as const;
        cpu.prepare(kernel).bind(rows, [a.view, b.view, out.view]).run(0);
        return out.now().slice(place * width, (place + 1) * width);
      }),
    );
    for (const result of results) expect(difference(result, results[0]!)).toBeUndefined();
  }
});

test("the sum goes from the addend through the terms in order", () => {
  for (const rows of [1, 9]) {
    const big = 2 ** 60;
    const sumOf = (addend: number, terms: readonly number[]): number => {
      const a = new Matrix(rows, terms.length, () => 1);
      const [b, c, out] = [
        new Matrix(1, terms.length, () => 0),
        new Matrix(rows, 1, () => addend),
        new Matrix(rows, 1, () => 0),
      ];
      cpu.write(b.view.buffer, Float32Array.from(terms), 0);
      const term = { a: 1, b: 2, transposeA: false, transposeB: true, depth: terms.length };
      const kernel = { op: "gemm", rows: "rows", width: 1, addend: true, terms: [term] } as const;
      cpu.prepare(kernel).bind(rows, [c.view, a.view, b.view, out.view]).run(0);
      return out.now()[0]!;
    };
    expect(sumOf(1, [big, -big])).toBe(0);
    expect(sumOf(big, [-big, 1])).toBe(1);
    expect(sumOf(0, [big, -big, 1])).toBe(1);
    expect(sumOf(0, [1, big, -big])).toBe(0);
  }
});

describe("a matrix that changes between runs", () => {
  const term = { a: 0, b: 1, transposeA: false, transposeB: true, depth: 9 };
  const kernel = { op: "gemm", rows: "rows", width: 8, addend: false, terms: [term] } as const;
  const setup = (): { b: Matrix; product: () => Float32Array; expected: () => Float32Array } => {
    const [a, b, out] = [new Matrix(1, 9, seeded), new Matrix(8, 9, seeded), new Matrix(1, 8, seeded)];
    const bound = cpu.prepare(kernel).bind(1, [a.view, b.view, out.view]);
    // Twice, since only a matrix that is found unchanged is kept.
    const product = (): Float32Array => {
      bound.run(0);
      const first = out.now();
      bound.run(0);
      expect(difference(out.now(), first)).toBeUndefined();
      return first;
    };
    const expected = (): Float32Array => {
      const now = b.now();
      return out.after((_, j) => {
        let sum = 0;
        for (let k = 0; k < 9; k++) sum += a.at(0, k) * now[j * 9 + k]!;
        return sum;
      });
    };
    return { b, product, expected };
  };

  test("by a write", () => {
    const { b, product, expected } = setup();
    expect(difference(product(), expected())).toBeUndefined();
    cpu.write(b.view.buffer, Float32Array.of(0.25), 40);
    expect(difference(product(), expected())).toBeUndefined();
  });

  test("by a kernel, in place", () => {
    const { b, product, expected } = setup();
    product();
    const halved = [{ fn: "times", args: [{ input: 0 }, { constant: 0.5 }] }] as const;
    cpu
      .prepare({ op: "map", width: 9, inputs: 1, instructions: halved, outputs: [0] })
      .bind(8, [b.view, b.view])
      .run(0);
    expect(difference(product(), expected())).toBeUndefined();
  });

  test("by another gemm", () => {
    const { b, product, expected } = setup();
    product();
    const [x, y] = [new Matrix(8, 3, seeded), new Matrix(3, 9, seeded)];
    const outer = { a: 0, b: 1, transposeA: false, transposeB: false, depth: 3 };
    cpu
      .prepare({ op: "gemm", rows: "rows", width: 9, addend: false, terms: [outer] })
      .bind(8, [x.view, y.view, b.view])
      .run(0);
    expect(difference(product(), expected())).toBeUndefined();
  });

  test("from zeros, which V8 stores apart from fractions", () => {
    const { b, product, expected } = setup();
    cpu.write(b.view.buffer, new Float32Array(72), 0);
    expect(difference(product(), expected())).toBeUndefined();
    cpu.write(b.view.buffer, Float32Array.from({ length: 72 }, seeded), 0);
    expect(difference(product(), expected())).toBeUndefined();
  });
});

test("NaN and infinity stay in their own row", () => {
  for (const rows of [2, 9]) {
    const [a, b, out] = [new Matrix(rows, 7, seeded), new Matrix(5, 7, seeded), new Matrix(rows, 5, seeded)];
    const term = { a: 0, b: 1, transposeA: false, transposeB: true, depth: 7 };
    const bound = cpu
      .prepare({ op: "gemm", rows: "rows", width: 5, addend: false, terms: [term] })
      .bind(rows, [a.view, b.view, out.view]);
    bound.run(0);
    const clean = out.now();
    cpu.write(a.view.buffer, Float32Array.of(NaN, Infinity), 7);
    bound.run(0);
    const result = out.now();
    expect([...result.slice(5, 10)].every(Number.isNaN)).toBe(true);
    expect(difference(result.slice(0, 5), clean.slice(0, 5))).toBeUndefined();
    expect(difference(result.slice(10, 5 * rows), clean.slice(10, 5 * rows))).toBeUndefined();
  }
});
