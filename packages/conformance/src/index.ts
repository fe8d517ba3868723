/**
 * The laws that every backend keeps, as a kit. In a backend's tests:
 *
 *     import { describe, it } from "vitest";
 *     import { describeConformance } from "@recurra/conformance";
 *     import { openMine } from "../src/index.ts";
 *
 *     describeConformance({ describe, it }, "mine", () => openMine());
 */
import type { Backend } from "@recurra/core/internal";
import { checked } from "./checked.ts";
import { lawOf, type Law, type Outcome, type Setting, type Sizes, type Statement } from "./law.ts";
import { rows, time } from "./laws/bits.ts";
import { cellLaws } from "./laws/cells.ts";
import { determinism } from "./laws/determinism.ts";
import { differences } from "./laws/differences.ts";
import { extremes, functions } from "./laws/functions.ts";
import { kernelLaws } from "./laws/kernels.ts";
import { lifecycle } from "./laws/lifecycle.ts";
import { memory } from "./laws/memory.ts";
import { nan } from "./laws/nan.ts";
import { ragged } from "./laws/ragged.ts";
import { randomCells } from "./laws/random-cells.ts";
import { variants } from "./wrap.ts";

export { checked } from "./checked.ts";
export { type Law, type Outcome, type Sizes } from "./law.ts";

export interface ConformanceOptions {
  /** Opens a backend; each law opens its own, and disposes of it. */
  open(): Backend | Promise<Backend>;
  /** Multiplies the number of random cases. Default: 1. */
  readonly scale?: number;
  /** Default: 1. */
  readonly seed?: number;
  /** Default: "both". */
  readonly sizes?: Sizes;
  /** Also try the backend with each optional member removed. Default: true. */
  readonly variants?: boolean;
  /** Give the same map to judge several backends of the same accuracy faster. */
  readonly memo?: Map<string, unknown>;
}

const aboutKernels: readonly Statement[] = [memory, functions, extremes, ...kernelLaws];
const aboutPrograms: readonly Statement[] = [
  ...cellLaws,
  randomCells,
  ragged,
  rows,
  time,
  determinism,
  nan,
  lifecycle,
];

/** Every law, to be run one by one in any order. */
export function conformance(options: ConformanceOptions): Law[] {
  const { open, scale = 1, seed = 1, sizes = "both", memo = new Map<string, unknown>() } = options;
  const setting: Setting = { open, scale, seed, sizes, memo };
  const laws = [
    ...aboutKernels.map((statement) => lawOf(statement, setting, "kernel")),
    ...aboutPrograms.map((statement) => lawOf(statement, setting, "program")),
    lawOf(differences, setting, "core"),
  ];
  if (options.variants === false) return laws;
  return [
    ...laws,
    ...variants.flatMap((variant) =>
      aboutPrograms.map((statement) => variantOf(statement, setting, variant)),
    ),
  ];
}

/** A law about programs, for the backend without an optional member; it holds of itself where there is no such member. Kernels are the same without. */
function variantOf(
  statement: Statement,
  setting: Setting,
  { name, change, thorough }: (typeof variants)[number],
): Law {
  const called = `${statement.name} (${name})`;
  const body: Statement["body"] = async (tally, _setting, _backend, bare) => {
    const without = change(bare);
    if (!without) return;
    const open = async (): Promise<Backend> => {
      const fresh = await setting.open();
      return change(fresh) ?? fresh;
    };
    const sizes = thorough || setting.sizes !== "both" ? setting.sizes : "small";
    await statement.body(
      tally,
      { ...setting, open, sizes, scale: setting.scale / 2 },
      checked(without),
      without,
    );
  };
  return lawOf({ name: called, body }, setting, "program");
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  /** Laws of which some part wasn't tried, by the backend's manifest. */
  readonly skipped: number;
  readonly comparisons: number;
  readonly vacuous: number;
  readonly outcomes: readonly Outcome[];
}

/** The share of comparisons whose bound may be so wide that they say nothing. */
export const vacuousShare = 0.01;

/** Run every law. @param onOutcome is told of each as it ends */
export async function runAll(laws: readonly Law[], onOutcome?: (outcome: Outcome) => void): Promise<Summary> {
  const outcomes: Outcome[] = [];
  const add = (outcome: Outcome): void => {
    outcomes.push(outcome);
    onOutcome?.(outcome);
  };
  for (const law of laws) add(await law.run());
  add(vacuousOutcome(outcomes));
  const count = (of: (outcome: Outcome) => number): number => outcomes.reduce((sum, o) => sum + of(o), 0);
  return {
    passed: count((o) => (o.passed ? 1 : 0)),
    failed: count((o) => (o.passed ? 0 : 1)),
    skipped: count((o) => (o.skipped.length > 0 ? 1 : 0)),
    comparisons: count((o) => o.comparisons),
    vacuous: count((o) => o.vacuous),
    outcomes,
  };
}

/** The law about all the others: their bounds must say something. */
function vacuousOutcome(outcomes: readonly Outcome[]): Outcome {
  const [comparisons, vacuous] = [
    outcomes.reduce((n, o) => n + o.comparisons, 0),
    outcomes.reduce((n, o) => n + o.vacuous, 0),
  ];
  const passed = vacuous <= vacuousShare * comparisons;
  const law = "few bounds are vacuous";
  return {
    law,
    passed,
    comparisons: 0,
    vacuous: 0,
    skipped: [],
    milliseconds: 0,
    ...(!passed && {
      failure: `${law}: expected at most ${100 * vacuousShare}% of ${comparisons} comparisons, got ${vacuous}`,
    }),
  };
}

/** What a test runner gives; vitest's, jest's and mocha's fit. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>, timeout?: number): unknown;
}

/** A test a law. */
export function describeConformance(
  { describe, it }: TestRunner,
  name: string,
  open: ConformanceOptions["open"],
  options: Omit<ConformanceOptions, "open"> = {},
): void {
  describe(`conformance: ${name}`, () => {
    const outcomes: Outcome[] = [];
    const holds = (outcome: Outcome): void => {
      if (!outcome.passed) throw new Error(outcome.failure);
    };
    for (const law of conformance({ ...options, open }))
      it(
        law.name,
        async () => {
          const outcome = await law.run();
          outcomes.push(outcome);
          holds(outcome);
        },
        timeout,
      );
    it("few bounds are vacuous", async () => holds(vacuousOutcome(outcomes)));
  });
}

/** Milliseconds; no law takes a tenth of it on a slow machine. */
const timeout = 120_000;
