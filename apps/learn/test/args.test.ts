import { describe, expect, test } from "vitest";
import { UsageError } from "../../../scripts/command.mjs";
import { parseArgs } from "../src/args.ts";

describe("parseArgs", () => {
  test("without flags: WASM, and nobody beside it", () => {
    expect(parseArgs(["co2"])).toMatchObject({ name: "co2", backend: "wasm", torch: false });
  });

  test("flags may come before and after", () => {
    expect(parseArgs(["--backend", "cpu", "reber", "--peers", "torch"])).toMatchObject({
      name: "reber",
      backend: "cpu",
      torch: true,
    });
  });

  test.each([
    [[], "expected what to learn\nlearn co2|mnist-rows|text|adding|reber"],
    [["sunspots"], 'task: there is no "sunspots"; there is co2, mnist-rows, text, adding, reber'],
    [["toString"], 'task: there is no "toString"'],
    [["co2", "text"], "expected one task, got co2 text"],
    [["co2", "--backend", "gpu"], '--backend: there is no "gpu"; there is wasm, cpu'],
    [["co2", "--peers", "keras"], '--peers: there is no "keras"; there is torch'],
    [["co2", "--seed", "1"], "Unknown option '--seed'"],
    [["co2", "--backend"], "--backend"],
  ])("%j is refused, saying what there is", (argv, message) => {
    expect(() => parseArgs(argv)).toThrow(UsageError);
    expect(() => parseArgs(argv)).toThrow(message);
  });
});
