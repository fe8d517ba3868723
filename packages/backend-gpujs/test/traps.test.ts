// What gpu.js and GLSL do silently wrong, each met by a guard; without it the test fails.
import { expect, test, vi } from "vitest";
import { applied, bufferOf, dense, numbersOf, onGpu, opened, pointwise } from "./support.ts";

const count = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => (i % 7) - 3);

onGpu("traps", () => {
  test("gpu.js's tanh is NaN from ±45 on, and off by 1.5% near 0", () =>
    opened(async ({ backend }) => {
      const points = Float32Array.of(-1e4, -45, 45, 1e4, 1e-3, -1e-3, 1e-20, -9);
      const results = await applied(backend, "tanh", points, 4);
      results.forEach((y, i) => {
        const exact = Math.tanh(points[i]!);
        expect(Math.abs(y - exact)).toBeLessThanOrEqual(1e-6 * Math.abs(exact));
      });
    }));

  test("loops stop at 1000 steps", () =>
    opened(async ({ backend }) => {
      const depth = 2500;
      const [a, b, out] = [
        bufferOf(backend, count(depth)),
        bufferOf(backend, count(depth)),
        backend.alloc(1),
      ];
      const term = { a: 0, b: 1, transposeA: false, transposeB: true, depth };
      backend
        .prepare({ op: "gemm", rows: "rows", width: 1, addend: false, terms: [term] })
        .bind(1, [dense(a, depth), dense(b, depth), dense(out, 1)])
        .run(0);
      expect((await numbersOf(backend, out))[0]).toBe(count(depth).reduce((sum, x) => sum + x * x, 0));
    }));

  test("a texture's width is compiled in; so are an output's sizes and constants", () =>
    opened(async ({ backend, device }) => {
      for (const width of [3, 8, 1, 5]) {
        const points = count(4 * width);
        expect(await applied(backend, "neg", points, width)).toEqual(points.map((x) => -x));
      }
      expect(device.counters.compiled).toBe(1);
      const plus = (constant: number) =>
        ({
          op: "map", width: 2, inputs: 1, outputs: [0],
          instructions: [{ fn: "plus", args: [{ input: 0 }, { constant }] }],
        }) as const; // prettier-ignore
      for (const constant of [1, -Infinity, 0.5]) {
        const [from, to] = [bufferOf(backend, Float32Array.of(1, 2)), backend.alloc(2)];
        backend
          .prepare(plus(constant))
          .bind(1, [dense(from, 2), dense(to, 2)])
          .run(0);
        expect(await numbersOf(backend, to)).toEqual(Float32Array.of(1 + constant, 2 + constant));
      }
    }));

  test("all results of a kernel are in one texture, one after the other", () =>
    opened(async ({ backend }) => {
      const outs = [1, 2, 3].map((value) => {
        const [from, to] = [bufferOf(backend, new Float32Array(6).fill(value)), backend.alloc(6)];
        backend
          .prepare(pointwise("neg", 3))
          .bind(2, [dense(from, 3), dense(to, 3)])
          .run(0);
        return to;
      });
      const results = await Promise.all(outs.map((to) => numbersOf(backend, to)));
      expect(results.map((r) => r[5])).toEqual([-1, -2, -3]);
    }));

  test("a lost context leaves zeros: DEVICE_LOST instead, and another backend can be opened", () =>
    opened(async ({ backend, device }) => {
      const [from, to] = [bufferOf(backend, count(6)), backend.alloc(6)];
      backend
        .prepare(pointwise("neg", 3))
        .bind(2, [dense(from, 3), dense(to, 3)])
        .run(0);
      // Not yet when the read is asked for and begins, but when the numbers are there.
      const lost = vi.spyOn(device.gl, "isContextLost").mockReturnValue(true);
      lost.mockReturnValueOnce(false).mockReturnValueOnce(false);
      const refused = { name: "RecurraError", code: "DEVICE_LOST" };
      await expect(numbersOf(backend, to)).rejects.toMatchObject(refused);
      expect(() => backend.alloc(1)).toThrow(expect.objectContaining(refused) as Error);
      lost.mockRestore();
      await opened(async ({ backend: other }) =>
        expect(await applied(other, "neg", Float32Array.of(1, 2), 2)).toEqual(Float32Array.of(-1, -2)),
      );
    }));

  test("functions that call functions come in an order that GLSL refuses", () =>
    opened(async ({ backend }) => {
      const [from, to] = [bufferOf(backend, Float32Array.of(0, 1)), backend.alloc(2)];
      const chain = ["sigmoid", "softplus", "exp", "log", "exp", "softplus", "sigmoid"] as const;
      const instructions = chain.map((fn, i) => ({ fn, args: [i === 0 ? { input: 0 } : { result: i - 1 }] }));
      backend
        .prepare({ op: "map", width: 2, inputs: 1, instructions, outputs: [chain.length - 1] })
        .bind(1, [dense(from, 2), dense(to, 2)])
        .run(0);
      const results = await numbersOf(backend, to);
      expect(results.every((y) => y > 0.5 && y < 1)).toBe(true);
    }));

  test("several loops in one kernel declare their counters side by side", () =>
    opened(async ({ backend }) => {
      const [a, b, out] = [bufferOf(backend, count(6)), bufferOf(backend, count(6)), backend.alloc(1)];
      const term = { transposeA: false, transposeB: true, depth: 6 };
      backend
        .prepare({
          op: "gemm",
          rows: "rows",
          width: 1,
          addend: false,
          terms: [
            { ...term, a: 0, b: 1 },
            { ...term, a: 2, b: 3 },
          ],
        }) // prettier-ignore
        .bind(
          1,
          [a, b, b, a, out].map((buffer, i) => dense(buffer, i < 4 ? 6 : 1)),
        )
        .run(0);
      expect((await numbersOf(backend, out))[0]).toBe(2 * count(6).reduce((sum, x) => sum + x * x, 0));
    }));

  test("more rows than a texture has lines", () =>
    opened(async ({ backend, device }) => {
      const points = count(device.size + 77);
      expect(await applied(backend, "copy", points, 1)).toEqual(points);
    }));

  test("as many inputs and outputs as the limits say, all at once", () =>
    opened(async ({ backend }) => {
      const { inputs, outputs } = backend.limits.maps!;
      const from = Array.from({ length: inputs }, (_, i) => bufferOf(backend, Float32Array.of(i, 2 * i)));
      const to = Array.from({ length: outputs }, () => backend.alloc(2));
      const instructions = Array.from({ length: inputs - 1 }, (_, i) => ({
        fn: "plus" as const,
        args: [i === 0 ? { input: 0 } : { result: i - 1 }, { input: i + 1 }],
      }));
      const results = to.map((_, o) => instructions.length - 1 - (o % 3));
      backend
        .prepare({ op: "map", width: 2, inputs, instructions, outputs: results })
        .bind(
          1,
          [...from, ...to].map((buffer) => dense(buffer, 2)),
        )
        .run(0);
      const sum = (n: number): number => (n * (n + 1)) / 2;
      for (const [o, buffer] of to.entries())
        expect((await numbersOf(backend, buffer))[0]).toBe(sum(results[o]! + 1));
    }));

  test("a sum of more products than a kernel has inputs for", () =>
    opened(async ({ backend, device }) => {
      const units = device.gl.getParameter(device.gl.MAX_TEXTURE_IMAGE_UNITS);
      const terms = Array.from({ length: units }, (_, t) => ({ a: 1 + 2 * t, b: 2 + 2 * t, transposeA: false, transposeB: true, depth: 3 })); // prettier-ignore
      const numbers = [bufferOf(backend, Float32Array.of(0.5)), ...terms.flatMap(({ a }) => [bufferOf(backend, new Float32Array(3).fill(a)), bufferOf(backend, count(3))])]; // prettier-ignore
      const out = backend.alloc(1);
      backend
        .prepare({ op: "gemm", rows: "rows", width: 1, addend: true, terms })
        .bind(
          1,
          [...numbers, out].map((buffer) => dense(buffer, buffer.length)),
        )
        .run(0);
      const sum = count(3).reduce((all, x) => all + x, 0);
      expect((await numbersOf(backend, out))[0]).toBe(terms.reduce((all, { a }) => all + a * sum, 0.5));
    }));
});
