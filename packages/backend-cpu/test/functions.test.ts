// The declared error of every function, measured; and where functions are exact.
import type { FunctionName } from "@recurra/core";
import { describe, expect, test } from "vitest";
import { expectDeclared, measured } from "../../conformance/test/measure-functions.ts";
import { cpu, Matrix } from "./support.ts";

function applied(fn: FunctionName, points: Float32Array): Float32Array {
  const input = new Matrix(1, points.length, () => 0);
  const output = new Matrix(1, points.length, () => 0);
  cpu.write(input.view.buffer, points, 0);
  const instructions = [{ fn, args: [{ input: 0 }] }];
  const kernel = { op: "map", width: points.length, inputs: 1, instructions, outputs: [0] } as const;
  cpu.prepare(kernel).bind(1, [input.view, output.view]).run(0);
  const results = output.now().slice(0, points.length);
  input.free();
  output.free();
  return results;
}

describe("error", () => {
  test.each(measured)("%s", (fn) => expectDeclared(cpu, fn, 1 / 2));

  test("is measured of every function that is declared", () => {
    expect(measured).toEqual(expect.arrayContaining(Object.keys(cpu.accuracy.functions)));
  });
});

describe("exactly", () => {
  const at = (fn: FunctionName, ...xs: number[]): number[] => [...applied(fn, Float32Array.from(xs))];

  test("tanh", () => {
    expect(at("tanh", 0, -0, Infinity, -Infinity, NaN, 1e4, -1e4)).toEqual([0, -0, 1, -1, NaN, 1, -1]);
  });
  test("sigmoid", () => {
    expect(at("sigmoid", 0, -0, Infinity, -Infinity, NaN, 1e4, -1e4)).toEqual([0.5, 0.5, 1, 0, NaN, 1, 0]);
  });
  test("log and √ of negative numbers", () => {
    expect([...at("log", -1), ...at("sqrt", -1), ...at("rsqrt", -1)]).toEqual([NaN, NaN, NaN]);
  });
  test("exp", () => {
    expect(at("exp", 0, -0, Infinity, -Infinity, NaN, 1e4, -1e4)).toEqual([
      1,
      1,
      Infinity,
      0,
      NaN,
      Infinity,
      0,
    ]);
  });

  test("tanh never decreases by more than it may err", () => {
    const xs = Float32Array.from({ length: 400_000 }, (_, i) => i / 40_000);
    const results = applied("tanh", xs);
    const worst = results.findIndex((value, i) => i > 0 && value < results[i - 1]! * (1 - 2 ** -23));
    expect(worst).toBe(-1);
    expect(results.every((value) => value <= 1)).toBe(true);
  });
});
