// One workload after another: prepare every system, check it, then time rounds in turn, so that ratios are of one run.
import { check, PEER_TOLERANCE, TRAIN_TOLERANCE, type Verdict } from "./check.ts";
import type { Expected } from "./expected.ts";
import { type Shown, Unable } from "./system.ts";
import type { Entry, SystemName } from "./systems/index.ts";
import { summary } from "./timing.ts";
import type { Worker } from "./worker.ts";
import { flops, type Kind, type Workload } from "./workloads.ts";

/** A line of `--json`; its keys are these, in this order. */
export interface Row {
  readonly system: string;
  readonly workload: string;
  readonly kind: Kind;
  readonly T: number;
  readonly B: number;
  readonly I: number;
  readonly H: number;
  /** Milliseconds a call: the median, the least and the most of the samples. Null if wrong, as are those two and gflops. */
  readonly ms: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Calls that were timed. */
  readonly runs: number;
  readonly gflops: number | null;
  /** The largest |got − expected| / max(1, |expected|); null for a system that computes another function. */
  readonly error: number | null;
  /** The largest of the bounds it was checked against, scaled alike. */
  readonly bound: number | null;
}

/** What the loop needs from outside; tests put in their own. */
export interface Surroundings {
  readonly entryOf: (name: SystemName) => Entry;
  readonly start: (entry: Entry) => Worker;
  readonly fetch: (entry: Entry) => Promise<void>;
  readonly expect: (workload: Workload, kind: Kind) => Expected;
  /** A line for people, on stderr. */
  readonly say: (message: string) => void;
  /** What is being done now, and the share of it all that lies behind. */
  readonly progress: (doing: string, share: number) => void;
}

export interface Plan {
  readonly systems: readonly SystemName[];
  readonly workloads: readonly Workload[];
  readonly kind: Kind;
  readonly seconds: number;
}

const ROUNDS = 5;
/** Long enough for V8 to have compiled what's hot; not shortened with the rest, for then it would be timed half compiled. */
const WARM_UP_MS = 500;
/** A system whose calls are longer than its share sits later rounds out, but not before this many calls. */
const FEWEST_CALLS = 2;

/** A system that is being measured. */
interface Entrant {
  readonly name: SystemName;
  readonly worker: Worker;
  /** undefined where results aren't checked. */
  verdict: Verdict | undefined;
  readonly samples: number[];
  calls: number;
  spentMs: number;
}

/** Of a system that ended with an error. */
const FAILED: Verdict = { ok: false, error: NaN, bound: NaN };

/** Yields the rows of a workload as soon as it's done; `ms` is null in those of systems that were wrong or failed. */
export async function* run(plan: Plan, around: Surroundings): AsyncGenerator<Row, void> {
  for (const [index, workload] of plan.workloads.entries()) {
    const progress = (doing: string, share: number) =>
      around.progress(`${workload.name} ${doing}`, (index + share) / plan.workloads.length);
    yield* await measure(workload, plan, { ...around, progress });
  }
}

async function measure(workload: Workload, plan: Plan, around: Surroundings): Promise<Row[]> {
  const { kind } = plan;
  const able = plan.systems.filter((name) => isAble(name, workload, kind, around));
  if (able.length === 0) return [];
  around.progress("oracle", 0);
  const expected = around.expect(workload, kind);
  const entrants: Entrant[] = [];
  const workers: Worker[] = [];
  try {
    for (const [index, name] of able.entries()) {
      around.progress(`${name.word}: check`, (0.3 * index) / able.length);
      const worker = around.start(around.entryOf(name));
      workers.push(worker);
      const entrant = await enter(name, worker, workload, kind, expected, around);
      if (entrant !== "skipped") entrants.push(entrant);
    }
    await timeInTurns(entrants, workload, plan.seconds * 1000, around);
  } finally {
    for (const worker of workers) worker.stop();
  }
  return entrants.map((entrant) => row(entrant, workload, kind));
}

function isAble(name: SystemName, workload: Workload, kind: Kind, { entryOf, say }: Surroundings): boolean {
  const { kinds, cannot } = entryOf(name);
  const reason = kinds.includes(kind) ? cannot?.(workload) : `it has no ${kind} here`;
  if (reason !== undefined) say(`${workload.name}: ${name.word} is left out: ${reason}`);
  return reason === undefined;
}

async function enter(
  name: SystemName,
  worker: Worker,
  workload: Workload,
  kind: Kind,
  expected: Expected,
  { entryOf, fetch, say }: Surroundings,
): Promise<Entrant | "skipped"> {
  const entry = entryOf(name);
  const entrant = { name, worker, samples: [], calls: 0, spentMs: 0 };
  let shown: Shown;
  try {
    await fetch(entry);
    shown = await worker.prepare(name.word, workload.name, kind);
  } catch (error) {
    if (error instanceof Unable) {
      say(`${workload.name}: ${name.word} is left out: ${error.message}`);
      return "skipped";
    }
    say(`${workload.name}: ${name.word} failed: ${(error as Error).message}`);
    return { ...entrant, verdict: FAILED };
  }
  if (entry.different) return { ...entrant, verdict: undefined };
  const tolerances = shown.accuracy ? expected.tolerances(shown.accuracy) : peerTolerances(expected, kind);
  const verdict = check(shown.results, expected.values, tolerances, workload);
  if (!verdict.ok) say(`${workload.name}: ${name.word} is wrong: ${verdict.message}`);
  return { ...entrant, verdict };
}

/** Peers show no gates, only outputs, gradients and losses. */
function peerTolerances({ values }: Expected, kind: Kind): Record<string, number> {
  const names = kind === "forward" ? ["output"] : Object.keys(values);
  const tolerance = kind === "train" ? TRAIN_TOLERANCE : PEER_TOLERANCE;
  return Object.fromEntries(names.map((name) => [name, tolerance]));
}

async function timeInTurns(
  entrants: readonly Entrant[],
  workload: Workload,
  budgetMs: number,
  { progress, say }: Surroundings,
): Promise<void> {
  for (let turn = 0; turn <= ROUNDS; turn++) {
    for (const [index, entrant] of entrants.entries()) {
      if (entrant.verdict?.ok === false) continue;
      if (entrant.spentMs >= budgetMs && entrant.calls >= FEWEST_CALLS) continue;
      progress(`${entrant.name.word}: timing`, 0.3 + (0.7 * (turn + index / entrants.length)) / (ROUNDS + 1));
      try {
        const start = performance.now();
        const { samples, calls } = await entrant.worker.round(turn === 0 ? WARM_UP_MS : budgetMs / ROUNDS);
        if (turn === 0) continue;
        entrant.spentMs += performance.now() - start;
        entrant.samples.push(...samples);
        entrant.calls += calls;
      } catch (error) {
        say(`${workload.name}: ${entrant.name.word} failed: ${(error as Error).message}`);
        entrant.verdict = FAILED;
      }
    }
  }
}

function row({ name, verdict, samples, calls }: Entrant, workload: Workload, kind: Kind): Row {
  const { T, B, I, H } = workload;
  const { median, min, max } = verdict?.ok === false ? NOTHING : summary(samples);
  return {
    system: name.word,
    workload: workload.name,
    kind,
    T,
    B,
    I,
    H,
    ms: median,
    min,
    max,
    runs: calls,
    gflops: median === null ? null : flops(workload, kind) / (median * 1e6),
    error: finiteOrNull(verdict?.error),
    bound: finiteOrNull(verdict?.bound),
  };
}

const NOTHING = { median: null, min: null, max: null };

function finiteOrNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
