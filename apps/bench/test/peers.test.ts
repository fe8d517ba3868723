// What the peers need that can be tested without fetching them.
import { describe, expect, test } from "vitest";
import { check, PEER_TOLERANCE, type Verdict } from "../src/check.ts";
import { FRAMES, type Gate, makeData } from "../src/data.ts";
import { computeExpected } from "../src/expected.ts";
import { pickRows } from "../src/pick-rows.ts";
import { readData } from "../src/read-data.ts";
import { keras, swapTimeAndBatch, unstackGates } from "../src/systems/keras.ts";
import { naive } from "../src/systems/naive.ts";
import type { Results } from "../src/system.ts";
import { rounds, summary } from "../src/timing.ts";
import { type Workload, workloads } from "../src/workloads.ts";
import { headlessGlIsHere } from "./headless-gl-here.ts";

const find = (name: string) => workloads.find((workload) => workload.name === name)!;

const verdictOn = (results: Results, workload: Workload): Verdict =>
  check(results, computeExpected(workload, "forward").values, { output: PEER_TOLERANCE }, workload);

test.each(["A", "B", "C", "seed", "co2"])("naive computes %s", async (name) => {
  const workload = find(name);
  const data = readData(workload, "forward");
  const { results, round } = await naive.prepare({ workload, kind: "forward", data, variant: undefined });
  expect(verdictOn(results, workload)).toMatchObject({ ok: true });
  expect((await round(0)).calls).toBe(1);
});

test.skipIf(!(await headlessGlIsHere())).each([
  ["A", undefined],
  ["B", undefined],
  ["B", "fused"],
  ["seed", undefined],
])("gpujs-naive computes %s (%s)", async (name, variant) => {
  const workload = find(name);
  const data = readData(workload, "forward");
  const { gpujsNaive } = await import("../src/systems/gpujs-naive.ts");
  const { results, round } = await gpujsNaive.prepare({
    workload,
    kind: "forward",
    data,
    variant,
  });
  expect(verdictOn(results, workload)).toMatchObject({ ok: true });
  expect((await round(0)).calls).toBe(1);
});

test("a batch's rows are apart", async () => {
  const workload: Workload = { name: "rows", T: 3, B: 5, I: 4, H: 6, kinds: ["forward"] };
  const data = makeData(workload, "forward");
  const { results } = await naive.prepare({ workload, kind: "forward", data, variant: undefined });
  expect(verdictOn(results, workload)).toMatchObject({ ok: true });
});

describe("the data", () => {
  test("are the same for every process", () => {
    expect(readData(find("B"), "forward")).toEqual(readData(find("B"), "forward"));
  });

  test("are not the same for every workload and parameter", () => {
    const { parameters, x } = readData(find("C"), "forward");
    const firsts = [...Object.values(parameters), x, readData(find("D"), "forward").x].map(
      ({ data }) => data[0],
    );
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  test("of a stream's steps are its frames, of its gradient one", () => {
    expect(readData(find("A"), "forward").x.shape).toEqual([FRAMES, 1, 64]);
    expect(readData(find("A"), "gradient").x.shape).toEqual([1, 1, 64]);
  });

  test("have an output gradient on the checked rows alone", () => {
    const { outputGradient } = readData(find("E"), "gradient");
    const { H, B, checkedRows } = find("E");
    const rows = new Set<number>();
    outputGradient.data.forEach((value, index) => {
      if (value !== 0) rows.add(Math.floor(index / H) % B);
    });
    expect([...rows]).toEqual(checkedRows);
  });

  test("pickRows takes rows of the batch at every step", () => {
    const picked = pickRows(
      { shape: [2, 3, 2], data: Float32Array.from({ length: 12 }, (_, k) => k) },
      [0, 2],
    );
    expect(picked.shape).toEqual([2, 2, 2]);
    expect([...picked.data]).toEqual([0, 1, 4, 5, 6, 7, 10, 11]);
  });
});

describe("Keras's layout", () => {
  const gates: Gate[] = ["i", "g", "f", "o"];
  const { parameters } = makeData({ name: "keras", T: 1, B: 1, I: 3, H: 2, kinds: [] }, "forward");

  test("stacks the gates side by side, in the order given", () => {
    const { kernel } = keras(parameters, gates);
    expect(kernel.shape).toEqual([3, 8]);
    // Input 1, gate g (the second of the order), unit 1.
    expect(kernel.data[1 * 8 + 1 * 2 + 1]).toBe(parameters["0.W.g"]!.data[1 * 3 + 1]);
  });

  test("unstackGates is its inverse", () => {
    const { kernel, recurrentKernel, bias } = keras(parameters, gates);
    const back = {
      ...unstackGates("W", kernel.data, 3, gates),
      ...unstackGates("U", recurrentKernel.data, 2, gates),
      ...unstackGates("b", bias.data, 1, gates),
    };
    for (const [name, { data }] of Object.entries(parameters)) expect(back[name], name).toEqual(data);
  });

  test("swapTimeAndBatch", () => {
    const data = Float32Array.from({ length: 12 }, (_, k) => k);
    expect([...swapTimeAndBatch(data, 2, 3, 2)]).toEqual([0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
  });
});

describe("timing", () => {
  test("a round calls at least once, and counts the calls", async () => {
    let calls = 0;
    const round = await rounds(() => calls++)(0);
    expect(round).toMatchObject({ calls: 1 });
    expect(calls).toBe(1);
    expect(round.samples).toHaveLength(1);
  });

  test("an asynchronous call is awaited", async () => {
    let running = 0;
    const { calls } = await rounds(async () => {
      expect(++running).toBe(1);
      await new Promise(setImmediate);
      running--;
    })(5);
    expect(calls).toBeGreaterThan(0);
  });

  test("the median of an odd and an even count", () => {
    expect(summary([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(summary([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  });
});
