// The declared error of every function, measured; and where functions are exact.
import type { FunctionName } from "@recurra/core";
import { describe, expect, test } from "vitest";
import { expectDeclared, measured } from "../../conformance/test/measure-functions.ts";
import { openWasm } from "../src/index.ts";

const backend = await openWasm();

function applied(fn: FunctionName, points: Float32Array): Float32Array {
  const [input, output] = [backend.alloc(points.length), backend.alloc(points.length)];
  backend.write(input, points, 0);
  const kernel = { op: "map", width: points.length, inputs: 1, instructions: [{ fn, args: [{ input: 0 }] }], outputs: [0] } as const; // prettier-ignore
  const view = { offset: 0, rowStride: points.length, columnStride: 1, stepStride: 0, slots: 1 } as const;
  const bound = backend.prepare(kernel).bind(1, [
    { ...view, buffer: input },
    { ...view, buffer: output },
  ]);
  bound.run(0);
  const results = new Float32Array(points.length);
  backend.readSync(output, results, 0);
  backend.free(input);
  backend.free(output);
  return results;
}

describe("error", () => {
  test.each(measured)("%s", (fn) => expectDeclared(backend, fn, 1 / 2));

  test("is measured of every function that is declared", () => {
    expect(measured).toEqual(expect.arrayContaining(Object.keys(backend.accuracy.functions)));
  });
});

test("log and √ of negative numbers are NaN", () => {
  const names = ["log", "sqrt", "rsqrt"] as const;
  expect(names.map((fn) => applied(fn, Float32Array.of(-1))[0])).toEqual([NaN, NaN, NaN]);
});

test("tanh and the logistic function end exactly at their limits", () => {
  const at = (fn: FunctionName): number[] => [
    ...applied(fn, Float32Array.of(0, -0, Infinity, -Infinity, NaN, 1e4, -1e4)),
  ];
  expect(at("tanh")).toEqual([0, -0, 1, -1, NaN, 1, -1]);
  expect(at("sigmoid")).toEqual([0.5, 0.5, 1, 0, NaN, 1, 0]);
});
