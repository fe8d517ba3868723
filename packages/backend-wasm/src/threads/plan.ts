/** A program's launches shared out: which way each goes, where threads meet, and whether that is quicker than one thread. */
import type { Program } from "@recurra/core";
import type { Bound } from "../launch.ts";
import type { ScriptPart } from "../script.ts";
import type { Task, TaskSection } from "../team.ts";
import { BARRIER, cost } from "./cost.ts";
import { meetings, type Shared } from "./meet.ts";
import { columnsApart, cut, rowsApart, share, type Way } from "./share.ts";

/** Rows of a tile: a thread has at least so many of the batch, or the batch isn't cut. */
const TILE_ROWS = 4;
/** Launches that take less, in ns, may be left to the first thread: what is least in all is taken. */
const WORTH = [0, 1000, 5000, Infinity];

export interface PlanOptions {
  readonly threads: number;
  /** Share out whatever can be, worth it or not: for tests. */
  readonly always?: boolean;
}

/** What a section takes, in ns a step: on one thread, and together. */
export interface Estimate {
  readonly alone: number;
  readonly together: number;
}

export interface Plan {
  /** For each thread, the sections' parts; with barriers. */
  readonly scripts: readonly (readonly (readonly ScriptPart[])[])[];
  readonly estimates: readonly Estimate[];
  /** What stands in place of a launch, with its thread. */
  readonly shares: ReadonlyMap<Bound, readonly Share[]>;
}

export type Share = readonly [thread: number, share: Bound];

interface PlannedPart {
  readonly loop: boolean;
  readonly launches: readonly Shared[];
  /** Whether they meet before each launch, and at the end of a turn. */
  readonly meet: readonly boolean[];
  /** All its launches go this way. */
  readonly only: Way["kind"] | undefined;
  /** In ns a turn, or in all where it is no loop. */
  readonly alone: number;
  readonly together: number;
}

/** @param barriers each thread's */
export function plan(task: Task, options: PlanOptions, barriers: readonly Bound[]): Plan {
  const { batch, program } = task;
  const { threads, always = false } = options;
  const byBatch = batch > 0 && batch % threads === 0 && (always || batch / threads >= TILE_ROWS);
  const planned = task.sections.map((section) =>
    section.parts.map((part) => planPart(part, section, program, byBatch, options)),
  );
  const estimates = planned.map((parts, i) => {
    const { steps } = task.sections[i]!;
    const sum = (which: "alone" | "together"): number =>
      parts.reduce((all, part) => all + part[which] * (part.loop ? steps : 1), 0) / Math.max(1, steps);
    return { alone: sum("alone"), together: sum("together") };
  });
  const shares = new Map<Bound, Share[]>();
  const scripts = barriers.map((barrier, thread) =>
    planned.map((parts) => scriptOf(parts, barrier, thread, threads, shares)),
  );
  return { scripts, estimates, shares };
}

function planPart(
  { loop, launches: [even, odd] }: ScriptPart,
  { reverse }: TaskSection,
  program: Program,
  byBatch: boolean,
  { threads, always = false }: PlanOptions,
): PlannedPart {
  const alone = even.reduce((sum, bound) => sum + cost(bound), 0);
  const tried = (always ? [0] : WORTH).map((worth): PlannedPart => {
    const launches = even.map((bound, i): Shared => {
      const way = wayOf(bound, even, program, byBatch, threads, always ? 0 : worth);
      return { pair: [bound, odd[i] ?? bound], way };
    });
    const meet = meetings(launches, loop, reverse);
    // A loop may end its turn with others at work; else what follows the part sees to that.
    const together = launches.reduce(
      (sum, { pair: [bound], way }) =>
        sum + Math.max(...[0, threads - 1].map((t) => share(bound, way, t, threads).reduce((a, b) => a + cost(b), 0))),
      BARRIER * meet.filter(Boolean).length,
    ); // prettier-ignore
    const kinds = new Set(launches.map(({ way }) => way.kind));
    const [only] = kinds.size === 1 ? kinds : [];
    return { loop, launches, meet, only: only === "columns" ? undefined : only, alone, together };
  });
  return tried.reduce((best, next) => (next.together < best.together ? next : best));
}

function wayOf(
  bound: Bound,
  list: readonly Bound[],
  program: Program,
  byBatch: boolean,
  threads: number,
  worth: number,
): Way {
  // What is of one launch goes one way: its parts hand each other what no other launch sees.
  const group = list.filter(({ launch }) => launch === bound.launch);
  if (byBatch && group.every((b) => rowsApart(b, program))) return { kind: "rows" };
  const unit = unitOf(bound, list, threads);
  if (!group.every((b) => columnsApart(b, unit, threads))) return { kind: "one" };
  if (group.reduce((sum, b) => sum + cost(b), 0) < worth) return { kind: "one" };
  return { kind: "columns", unit };
}

/** A gemm's columns are cut where those of the maps are that read them: then its threads needn't meet before those. */
function unitOf(bound: Bound, list: readonly Bound[], threads: number): number {
  const { kernel, launch } = bound;
  const { width } = kernel;
  const out = launch?.outputs[0];
  if (launch?.kernel.op !== "gemm" || !out) return width;
  const units = new Set<number>();
  for (const reader of list) {
    if (reader.launch?.kernel.op !== "map") continue;
    for (const { buffer, column, repeatColumn } of reader.launch.inputs)
      if (buffer === out.buffer && !repeatColumn)
        units.add((column - out.column) % reader.kernel.width === 0 ? reader.kernel.width : width);
  }
  const [unit = width] = units;
  const fits = units.size === 1 && columnsApart(bound, unit, threads) && cut(unit, 0, 2)[1] > 0;
  return fits ? unit : width;
}

function scriptOf(
  parts: readonly PlannedPart[],
  barrier: Bound,
  thread: number,
  threads: number,
  shares: Map<Bound, Share[]>,
): ScriptPart[] {
  const meeting: ScriptPart = { loop: false, launches: [[barrier], []] };
  const list = ({ launches, meet, loop }: PlannedPart, parity: 0 | 1): Bound[] => [
    ...launches.flatMap(({ pair, way }, i) => {
      const own = share(pair[parity], way, thread, threads);
      shares.set(pair[parity], [...(shares.get(pair[parity]) ?? []), ...own.map((s): Share => [thread, s])]);
      return meet[i] ? [barrier, ...own] : own;
    }),
    ...(loop && meet.at(-1) ? [barrier] : []),
  ];
  const apart = (a: PlannedPart | undefined, b: PlannedPart | undefined): boolean =>
    a === undefined || b === undefined
      ? parts.some(({ only }) => only !== "rows")
      : a.only === undefined || a.only !== b.only;
  return [
    ...(apart(undefined, parts[0]) ? [meeting] : []),
    ...parts.flatMap((part, i) => [
      { loop: part.loop, launches: [list(part, 0), part.loop ? list(part, 1) : []] } as const,
      ...(apart(part, parts[i + 1]) ? [meeting] : []),
    ]),
  ];
}
