import { describe, expect, it } from "vitest";
import { conformance, describeConformance, runAll, type ConformanceOptions } from "../src/index.ts";
import { Tally } from "../src/law.ts";
import { differences } from "../src/laws/differences.ts";
import { mutants } from "../src/mutants/index.ts";
import { forward } from "../src/wrap.ts";
import { openPlain } from "../../core/test/support/plain-backend.ts";

// The kit on the simplest backend that there is: whatever fails here is the kit's or core's fault.
describeConformance({ describe, it }, "plain", () => openPlain(), { sizes: "small", scale: 0.5 });

// And on one that keeps its sums in float32, and says so.
const { accuracy } = openPlain();
const openSingle = () => openPlain({ accuracy: { ...accuracy, accumulate: 2 ** -24 } });
describeConformance({ describe, it }, "plain, sums in float32", openSingle, {
  scale: 0.25,
  variants: false,
});

const only = (name: RegExp, options: Omit<ConformanceOptions, "variants">) =>
  runAll(conformance({ ...options, variants: false }).filter((law) => name.test(law.name)));

describe("what the kit says", () => {
  it("of a fault: law, seed, shapes, expected, got and bound", async () => {
    const broken = mutants.find((m) => m.name === "accumulate")!;
    const [outcome] = (await only(/^gemm$/, { open: () => broken.wrap(openPlain()), seed: 5 })).outcomes;
    expect(outcome?.passed).toBe(false);
    expect(outcome?.failure).toMatch(
      /^gemm: seed 5, small case \d+, gemm, \d+ rows.*expected \S+, got \S+, off by \S+, bound \S+$/,
    );
  });

  it("of a result beyond its bound", async () => {
    const { outcomes, failed } = await only(/^functions$/, {
      open: () => openPlain({ accuracy: { ...accuracy, unit: 2 ** -26 } }),
    });
    expect(failed).toBe(1);
    expect(outcomes[0]?.failure).toMatch(
      /expected -?[\d.e-]+, got -?[\d.e-]+, off by [\d.e-]+, bound [\d.e-]+/,
    );
  });

  it("of bounds that say nothing", async () => {
    const { outcomes, vacuous } = await only(/^map$/, {
      open: () => openPlain({ accuracy: { ...accuracy, unit: 1e-2 } }),
    });
    expect(vacuous).toBeGreaterThan(1000);
    expect(outcomes.at(-1)).toMatchObject({ law: "few bounds are vacuous", passed: false });
  });

  it("of what a backend doesn't promise: skipped, with the reason", async () => {
    const unsure = { ...accuracy, nan: false, batchExact: false, subnormals: false };
    const { skipped, outcomes } = await only(/NaN|rows$|extremes/, {
      open: () => openPlain({ accuracy: unsure }),
      sizes: "small",
    });
    // By themselves, the extremes have more vacuous bounds than the kit as a whole may.
    expect(outcomes.slice(0, -1).flatMap((o) => o.failure ?? [])).toEqual([]);
    expect(skipped).toBe(3);
    expect(outcomes.flatMap((o) => o.skipped).join()).toMatch(
      /accuracy.subnormals.*accuracy.batchExact.*accuracy.nan/,
    );
  });

  it("of an adjoint that is off by a millionth of itself, unless the gradient is next to nothing", async () => {
    let [seen, all] = [0, 0];
    class Off extends Tally {
      override number(got: number, expected: number, bound: number): void {
        all++;
        if (Math.abs(got * (1 + 1e-6) - expected) > bound) seen++;
      }
    }
    const backend = openPlain();
    const setting = { open: () => backend, scale: 0.1, seed: 1, sizes: "small", memo: new Map() } as const;
    await differences.body(new Off(accuracy), setting, backend, backend);
    expect(all).toBeGreaterThan(500);
    expect(seen).toBeGreaterThan(0.9 * all);
  });

  it("of a random cell that fails: the smallest that still does", async () => {
    const open = () => {
      const backend = openPlain();
      return forward(backend, {
        prepare(kernel) {
          if (kernel.op !== "map") return backend.prepare(kernel);
          const instructions = kernel.instructions.map((i) =>
            i.fn === "softplus" ? { ...i, fn: "relu" as const } : i,
          );
          return backend.prepare({ ...kernel, instructions });
        },
      });
    };
    const [outcome] = (await only(/^random cells$/, { open, sizes: "small" })).outcomes;
    const cell = /a random cell \((.*?)\), T 1, B 1, I 1, H 1/.exec(outcome?.failure ?? "")?.[1];
    expect(cell, outcome?.failure).toMatch(/softplus|log/);
    // What feeds it, it, what it feeds: three values at most, and the states.
    expect(cell?.split("; ").filter((line) => /^v\d/.test(line)).length).toBeLessThanOrEqual(3);
  });

  it("the same, from the same seed", async () => {
    const run = () => only(/^(reduce|rnnTanh)$/, { open: openPlain, seed: 3 });
    const strip = ({ outcomes }: Awaited<ReturnType<typeof run>>) =>
      outcomes.map((o) => ({ ...o, milliseconds: 0 }));
    expect(strip(await run())).toEqual(strip(await run()));
  });
});
