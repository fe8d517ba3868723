// Our backends through the benchmark's own check, on the workloads that are quick to check.
import { describe, expect, test as anyTest } from "vitest";
import { check } from "../src/check.ts";
import { computeExpected } from "../src/expected.ts";
import { readData } from "../src/read-data.ts";
import { backends } from "../src/systems/index.ts";
import { type Kind, workloads } from "../src/workloads.ts";
import { headlessGlIsHere } from "./headless-gl-here.ts";

const cases: [string, Kind][] = [
  ["A", "forward"],
  ["B", "forward"],
  ["C", "forward"],
  ["A", "gradient"],
  ["B", "gradient"],
  ["C", "gradient"],
];

const gl = await headlessGlIsHere();

describe.each(Object.keys(backends))("%s", (word) => {
  const test = anyTest.skipIf(backends[word]!.headlessGl && !gl);

  async function checked(name: string, kind: Kind) {
    const workload = workloads.find((workload) => workload.name === name)!;
    const system = await backends[word]!.load();
    const { results, accuracy } = await system.prepare({
      workload,
      kind,
      data: readData(workload, kind),
      variant: undefined,
    });
    const { values, tolerances } = computeExpected(workload, kind);
    const allowed = tolerances(accuracy!);
    return { names: Object.keys(allowed).sort(), verdict: check(results, values, allowed, workload) };
  }

  test.each(cases)("computes %s %s within its bounds", async (name, kind) => {
    expect((await checked(name, kind)).verdict).toMatchObject({ ok: true });
  });

  test.each(["seed", "co2"])("agrees with numpy on %s: y and every gate", async (name) => {
    const { names, verdict } = await checked(name, "forward");
    expect(names).toEqual(["0.c", "0.f", "0.g", "0.h", "0.i", "0.o", "output"]);
    expect(verdict).toMatchObject({ ok: true });
    expect(verdict.bound).toBeLessThan(1e-3);
  });
});
