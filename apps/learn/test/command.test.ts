// The command with an engine made for the test: what it prints where, and how it ends.
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCpu } from "@recurra/backend-cpu";
import { createModel } from "@recurra/core";
import { afterAll, expect, test } from "vitest";
import { command, type Machine } from "../src/command.ts";
import type { Engine } from "../src/experiment.ts";
import { networkOf } from "../src/net.ts";
import { curve } from "../src/progress.ts";
import { draws } from "../src/random.ts";

const folder = mkdtempSync(join(tmpdir(), "recurra-learn-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A series like that of co2, with `noise` that nobody can forecast. */
function writeSeries(noise: number): void {
  const draw = draws(1);
  const rows = Array.from({ length: 741 }, (_, t) => {
    const value = 315 + t / 8 + 3 * Math.sin((2 * Math.PI * t) / 12) + noise * (draw() - 0.5);
    return `1958-03-01,${value},${value}`;
  });
  mkdirSync(join(folder, "data"), { recursive: true });
  writeFileSync(join(folder, "data", "co2-concentration.csv"), `Date,CO2,adjusted CO2\n${rows.join("\n")}\n`);
}

/** It says 0 whatever it sees, so that its forecasts are the naive ones. */
const silent = (name: string): Engine => ({
  name,
  async open({ net, seed }) {
    const model = createModel(networkOf(net), openCpu(), { seed });
    let step = 0;
    const evaluation = ({ target }: { target: { data: ArrayLike<number> } }) => {
      const { data } = target;
      const sum = Array.from(data).reduce((total, value) => total + value * value, 0);
      const output = { shape: [data.length, 1], data: new Float32Array(data.length) };
      return { loss: sum / data.length, weight: data.length, state: {}, output };
    };
    return {
      model,
      step: async (batch) => ({ ...evaluation(batch), step: ++step, learningRate: 0 }),
      evaluate: async (batch) => evaluation(batch),
      state: async () => ({ step, parameters: model.parameters(), optimizer: "a test's", moments: {} }),
      restore: () => {},
      explain: () => "says nothing",
      dispose: () => model.dispose(),
    };
  },
  dispose: () => {},
});

async function run(argv: readonly string[], openTorch: Machine["openTorch"] = async () => "no torch") {
  const printed: string[] = [];
  const said: string[] = [];
  const exitCode = await command(argv, {
    open: async (backend) => silent(backend),
    openTorch,
    fetch: async () => folder,
    print: (line) => printed.push(line),
    progress: { show: () => {}, say: (message) => said.push(message), stop: () => {} },
  });
  return { exitCode, printed, said: said.join("\n") };
}

test("a target that is reached: the result alone on stdout, exit code 0", async () => {
  writeSeries(0.1);
  const { exitCode, printed, said } = await run(["co2"]);
  expect(printed).toHaveLength(1);
  expect(printed[0]).toMatch(/^co2: rmse (0\.\d{3}) ppm \(seasonal naive \1\)/);
  expect(exitCode).toBe(0);
  expect(said).toContain("wasm: co2 seed 5");
});

test("a target that is missed: the result is printed all the same, exit code 1", async () => {
  writeSeries(2);
  const { exitCode, printed, said } = await run(["co2", "--backend", "cpu"]);
  expect(printed).toHaveLength(1);
  expect(exitCode).toBe(1);
  expect(said).toContain("the target is missed: rmse at most 0.46 ppm");
});

test("PyTorch's result comes before, and where it isn't there the words say so", async () => {
  writeSeries(0.1);
  const beside = await run(["co2", "--peers", "torch"], async () => silent("torch"));
  expect(beside.printed.map((line) => line.split(":")[0])).toEqual(["torch co2", "co2"]);
  const without = await run(["co2", "--peers", "torch"]);
  expect(without.printed).toHaveLength(1);
  expect(without.said).toContain("torch is left out: no torch");
  expect(without.exitCode).toBe(0);
});

test("words that don't exist end with exit code 2 and no line on stdout", async () => {
  expect(await run(["chess"])).toMatchObject({ exitCode: 2, printed: [] });
});

test("the curve shows means, from the first step to the last", () => {
  const chart = curve(Array.from({ length: 800 }, (_, k) => 1 / (k + 1)));
  expect(chart).toContain("800");
  expect(chart.split("\n").length).toBeGreaterThan(8);
  expect(() => curve([1])).not.toThrow();
});
