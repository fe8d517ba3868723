import { openCpu } from "@recurra/backend-cpu";
import { describe, expect, it } from "vitest";
import { conformance, runAll } from "../src/index.ts";
import { killMutants, mutants } from "../src/mutants/index.ts";

describe("mutants", () => {
  it("are many, and no two alike", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(30);
    expect(new Set(mutants.map((m) => m.name)).size).toBe(mutants.length);
  });

  it("are all caught, at small and at large sizes, by laws that the unbroken backend keeps", async () => {
    const { kills, killed, total } = await killMutants({ open: openCpu });
    expect(kills.filter((k) => !k.small || !k.large).map((k) => k.mutant)).toEqual([]);
    expect(killed).toBe(total);

    for (const sizes of ["small", "large"] as const) {
      const caught = new Set(kills.map((k) => k[sizes]?.law));
      const laws = conformance({ open: openCpu, sizes, variants: false }).filter((law) =>
        caught.has(law.name),
      );
      const { outcomes } = await runAll(laws);
      expect(outcomes.filter((o) => !o.passed && caught.has(o.law)).map((o) => o.failure)).toEqual([]);
    }
  }, 300_000);
});
