import { describe, expect, test } from "vitest";
import { UsageError } from "../../../scripts/command.mjs";
import { parseArgs } from "../src/args.ts";

const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).join(" ");
const words = (argv: string[]) => parseArgs(argv).systems.map(({ word }) => word);

describe("parseArgs", () => {
  test("without words: the CPU backend, forward, every workload", () => {
    const options = parseArgs([]);
    expect(options).toMatchObject({ kind: "forward", seconds: 2, json: false });
    expect(names(options.workloads)).toBe("A B C D E F G seed co2");
    expect(words([])).toEqual(["cpu"]);
  });

  test("lists keep their order, backends before peers", () => {
    expect(words(["--peers", "naive,numpy", "--backend", "cpu"])).toEqual(["cpu", "naive", "numpy"]);
    expect(words(["--backend=", "--peers=naive"])).toEqual(["naive"]);
    expect(names(parseArgs(["--workload", "G,A"]).workloads)).toBe("G A");
  });

  test("gradient has the workloads A to G", () => {
    expect(names(parseArgs(["--kind", "gradient"]).workloads)).toBe("A B C D E F G");
  });

  test("train has the workloads H and I", () => {
    expect(names(parseArgs(["--kind", "train"]).workloads)).toBe("H I");
  });

  test("--short times less, unless --seconds says how long", () => {
    expect(parseArgs(["--short"]).seconds).toBe(0.5);
    expect(parseArgs(["--short", "--seconds", "3"]).seconds).toBe(3);
  });

  test.each([
    [["--backend", "gpu"], '--backend: there is no "gpu"; there is cpu'],
    [["--backend", "naive"], '--backend: there is no "naive"; there is cpu'],
    [["--backend", "cpu(int8)"], '--backend: there is no "cpu(int8)"; there is cpu'],
    [["--backend", "toString"], '--backend: there is no "toString"; there is cpu'],
    [["--peers", "theano"], '--peers: there is no "theano"; there is ort-node, '],
    [["--workload", "A,Z"], '--workload: there is no "Z"; there is A, B, '],
    [["--kind", "backward"], '--kind: there is no "backward"; there is forward, gradient, train'],
    [["--kind", "train", "--workload", "A"], "--workload A has no --kind train; H, I have"],
    [["--kind", "gradient", "--workload", "seed"], "--workload seed has no --kind gradient; A, B, "],
    [["--seconds", "soon"], "--seconds soon: expected a number of seconds"],
    [["--seconds", "-1"], "--seconds"],
    [["--fast"], "Unknown option '--fast'"],
    [["A"], "Unexpected argument 'A'"],
  ])("%j is refused, saying what there is", (argv, message) => {
    expect(() => parseArgs(argv)).toThrow(UsageError);
    expect(() => parseArgs(argv)).toThrow(message);
  });
});
