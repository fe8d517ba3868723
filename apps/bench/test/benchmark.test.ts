// The loop and the command, with systems made for the test: nothing here depends on how fast a machine is.
import type { Accuracy } from "@recurra/core";
import { describe, expect, test } from "vitest";
import { command, type Machine } from "../src/command.ts";
import type { Row } from "../src/benchmark.ts";
import { computeExpected } from "../src/expected.ts";
import { readData } from "../src/read-data.ts";
import { type Results, Unable } from "../src/system.ts";
import type { Entry } from "../src/systems/index.ts";
import { naive } from "../src/systems/naive.ts";
import type { Worker } from "../src/worker.ts";
import { workloads } from "../src/workloads.ts";

const B = workloads.find(({ name }) => name === "B")!;

/** The right results of B, from the peer that needs nothing. */
async function rightResults(): Promise<Results> {
  const prepared = await naive.prepare({
    workload: B,
    kind: "forward",
    data: readData(B, "forward"),
    variant: undefined,
  });
  return prepared.results;
}

interface Fake {
  prepare?: (right: Results) => Results;
  accuracy?: Accuracy;
  round?: () => { samples: number[]; calls: number };
  entry?: Partial<Entry>;
}

/** Runs the command with the fakes in the place of the peers of the same names. */
async function run(fakes: Record<string, Fake>, argv: string[]) {
  const right = await rightResults();
  const printed: string[] = [];
  const rounds: string[] = [];
  let stopped = 0;
  const start = (): Worker => {
    let system = "";
    return {
      prepare: async (word) => {
        system = word;
        const { prepare, accuracy } = fakes[word] ?? {};
        return { results: prepare?.(right) ?? right, ...(accuracy && { accuracy }) };
      },
      round: async () => {
        rounds.push(system);
        return fakes[system]?.round?.() ?? { samples: [1, 3, 2], calls: 6 };
      },
      stop: () => void stopped++,
    };
  };
  const machine: Machine = {
    name: "a machine",
    print: (line) => printed.push(line),
    start,
    entryOf: ({ word }) => ({ load: async () => naive, kinds: ["forward"], ...fakes[word]?.entry }),
    fetch: async () => {},
    expect: computeExpected,
  };
  const peers = Object.keys(fakes).join(",");
  const exitCode = await command(["--backend=", "--peers", peers, "--workload", "B", ...argv], machine);
  return { exitCode, printed, rounds, stopped, rows: () => printed.map((line) => JSON.parse(line) as Row) };
}

/** Off by `error` in one element. */
const off =
  (error: number) =>
  ({ output }: Results): Results => ({
    output: output!.map((value, k) => (k === 7 ? value + error : value)),
  });

describe("bench", () => {
  test("--json prints one line a result, with these keys in this order", async () => {
    const { printed, rows, exitCode } = await run({ naive: {}, numpy: {} }, ["--json"]);
    expect(exitCode).toBe(0);
    expect(printed).toHaveLength(2);
    expect(Object.keys(rows()[0]!).join()).toBe(
      "system,workload,kind,T,B,I,H,ms,min,max,runs,gflops,error,bound",
    );
    expect(rows()[0]).toMatchObject({
      system: "naive",
      workload: "B",
      kind: "forward",
      T: 50,
      B: 1,
      I: 10,
      H: 20,
    });
    expect(rows()[0]).toMatchObject({ ms: 2, min: 1, max: 3, bound: 1e-4 });
    expect(rows()[0]!.error).toBeLessThan(1e-6);
  });

  test("gflops counts the products of the LSTM", async () => {
    const [row] = (await run({ naive: {} }, ["--json"])).rows();
    expect(row!.gflops).toBeCloseTo((2 * 4 * 20 * (10 + 20) * 50) / 2e6, 12);
  });

  test("a wrong result has no times, and the exit code is 1", async () => {
    const { rows, exitCode, rounds } = await run({ naive: {}, numpy: { prepare: off(1e-3) } }, ["--json"]);
    expect(exitCode).toBe(1);
    expect(rows()[0]!.ms).toBe(2);
    expect(rows()[1]).toMatchObject({
      system: "numpy",
      ms: null,
      min: null,
      max: null,
      gflops: null,
      runs: 0,
    });
    expect(rows()[1]!.error).toBeCloseTo(1e-3, 5);
    expect(rounds).not.toContain("numpy");
  });

  test("a backend that promises an accuracy is held to what follows from it", async () => {
    const accuracy: Accuracy = {
      unit: 2 ** -24,
      accumulate: 2 ** -24,
      functions: { sigmoid: { relative: 2e-7, absolute: 0 }, tanh: { relative: 2e-7, absolute: 0 } },
      nan: true,
      subnormals: true,
      batchExact: true,
    };
    const { rows, exitCode } = await run(
      { naive: { accuracy }, numpy: { accuracy, prepare: off(5e-5) }, brain: { prepare: off(5e-5) } },
      ["--json"],
    );
    expect(exitCode).toBe(1);
    expect(rows().map(({ ms }) => ms)).toEqual([2, null, 2]);
    expect(rows()[0]!.bound).toBeLessThan(2e-5);
    expect(rows()[0]!.bound).toBeGreaterThan(rows()[0]!.error!);
  });

  test.each<[string, Fake]>([
    [
      "can't be prepared",
      {
        prepare: () => {
          throw new Error("broken");
        },
      },
    ],
    [
      "ends while it is timed",
      {
        round: () => {
          throw new Error("broken");
        },
      },
    ],
    ["gives no result", { prepare: () => ({}) }],
    ["gives NaN", { prepare: ({ output }) => ({ output: output!.map(() => NaN) }) }],
  ])("a system that %s has no times, the others go on, and the exit code is 1", async (_, fake) => {
    const { rows, exitCode, stopped } = await run({ brain: fake, naive: {} }, ["--json"]);
    expect(exitCode).toBe(1);
    expect(rows().map(({ system, ms }) => [system, ms])).toEqual([
      ["brain", null],
      ["naive", 2],
    ]);
    expect(stopped).toBe(2);
  });

  test("what can't run here, or can't do the workload, is left out without failing", async () => {
    const unable = {
      prepare: () => {
        throw new Unable("no python3");
      },
    };
    const cannot = { entry: { cannot: () => "it can't" } };
    const { rows, exitCode } = await run({ numpy: unable, brain: cannot, naive: {} }, ["--json"]);
    expect(exitCode).toBe(0);
    expect(rows().map(({ system }) => system)).toEqual(["naive"]);
  });

  test("a system that computes another function is timed, its error null", async () => {
    const { rows, exitCode } = await run({ brain: { prepare: () => ({}), entry: { different: true } } }, [
      "--json",
    ]);
    expect(exitCode).toBe(0);
    expect(rows()[0]).toMatchObject({ ms: 2, error: null, bound: null });
  });

  test("rounds are taken in turn", async () => {
    const { rounds } = await run({ naive: {}, numpy: {}, brain: {} }, ["--json"]);
    expect(rounds.length).toBeGreaterThan(6);
    rounds.forEach((system, k) => expect(system).toBe(["naive", "numpy", "brain"][k % 3]));
  });

  test("a system that has used its time sits out, after two calls", async () => {
    const slow: Fake = {
      round: () => {
        const end = performance.now() + 30;
        while (performance.now() < end);
        return { samples: [30], calls: 1 };
      },
    };
    const { rows, rounds } = await run({ naive: slow, numpy: {} }, ["--json", "--seconds", "0.02"]);
    expect(rows()[0]!.runs).toBe(2);
    expect(rounds.filter((system) => system === "naive")).toHaveLength(3);
  });

  test("people get the machine's name and a table with ratios to the first system", async () => {
    const double = { round: () => ({ samples: [4], calls: 1 }) };
    const wrong = { prepare: () => ({}) };
    const { printed } = await run({ naive: {}, numpy: double, brain: wrong }, []);
    expect(printed).toHaveLength(1);
    const lines = printed[0]!.split("\n");
    expect(lines[0]).toBe("a machine");
    expect(lines[4]).toMatch(/^\| B +\| 50, 1, 10, 20 \| naive +\| +2 \| +1 \| +3 \|.*\| +1× \|/);
    expect(lines[5]).toMatch(/^\| +\| +\| numpy +\| +4 \|.*\| +2× \|/);
    expect(lines[6]).toMatch(/^\| +\| +\| brain +\| wrong \|/);
  });

  test("words that don't exist end with exit code 2 and no line on stdout", async () => {
    const { exitCode, printed } = await run({ naive: {} }, ["--workload", "Z"]);
    expect(exitCode).toBe(2);
    expect(printed).toEqual([]);
  });
});
