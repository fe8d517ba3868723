/** A bound program on several threads: a script for each, and the spans of a call in the device's memory. */
import { barrierNumbers, SPAN_WORDS } from "../engine/barrier.ts";
import type { Bound } from "../launch.ts";
import type { Memory } from "../memory.ts";
import type { Script } from "../script.ts";
import type { Given, Task, Team } from "../team.ts";
import { COMMAND, SLEEP } from "./cost.ts";
import { plan } from "./plan.ts";

/** What is asked of the first thread. */
export interface Lead {
  readonly given: Given;
  readonly memory: Memory;
  readonly threads: number;
  /** Address of the control block. */
  readonly control: number;
  /** Share out whatever can be, worth it or not: for tests. */
  readonly always: boolean;
  /** How long it waits for another thread that doesn't come, in ms. */
  readonly patience: number;
  /** Whether it may sleep: a browser's main thread may not, and looks again and again. */
  readonly sleeps: boolean;
  /** How often anybody has slept at a barrier. */
  readonly slept: number;
  /** @throws DEVICE_LOST when a thread has failed */
  check(): void;
  /** Have all threads walk spans: from and up to, with each thread's sections. */
  tour(task: Task, from: number, to: number, sections: readonly number[]): void;
}

/**
 * How often a thread looks before it sleeps at a barrier: about 20 µs, so that it is no burden where others need the core. Until
 * somebody has slept in a call, about 0.3 ms: where both threads are on one core, the system sees it only while neither sleeps.
 */
const SPINS = 16384;
const PATIENT_SPINS = 16 * SPINS;
/** ms that such a look, and a sleep, take. */
const SPIN_MS = 0.016;
const SLEEP_MS = 100;

/** Calls on one thread, at most, before several are tried again. */
const MOST_CALLS = 64;

/** A barrier as a thread's launch. */
function barrierOf({ control, threads, patience, sleeps }: Lead, place: number, thread: number): Bound {
  const wait = thread > 0 || sleeps;
  const named: Record<(typeof barrierNumbers)[number], number> = {
    control,
    threads,
    patient: PATIENT_SPINS,
    spins: SPINS,
    // Workers wait as long as the first thread takes: it alone has what isn't shared out.
    rounds: thread > 0 ? 0xffffffff : Math.ceil(patience / (wait ? SLEEP_MS : SPIN_MS)),
    sleeps: wait ? 1 : 0,
  };
  return {
    kernel: { op: "map", width: 0, inputs: 0, instructions: [], outputs: [] },
    place,
    rows: 0,
    rowsPerStep: 0,
    most: 0,
    operands: [],
    numbers: barrierNumbers.map((name) => named[name]),
  };
}

export function bindTeam(lead: Lead, task: Task): Team | undefined {
  const { exports, barrier, sections, script: alone } = task;
  const { given, memory, always, threads } = lead;
  const list = Array.from({ length: threads }, (_, t) => t);
  const { scripts, estimates, shares } = plan(
    task,
    { threads, always },
    list.map((t) => barrierOf(lead, barrier, t)),
  );
  const gains = estimates.map((e) => e.alone - e.together);
  const whole = sections.reduce((sum, { most }, i) => sum + gains[i]! * most, 0);
  if (!always && whole < COMMAND) return undefined;

  const own: Script[] = [];
  const taken: number[] = [];
  const dispose = (): void => {
    for (const script of own.splice(0)) script.dispose();
    for (const address of taken.splice(0)) memory.give(address);
  };
  const words = (numbers: readonly number[]): number => {
    const address = memory.take(4 * numbers.length);
    taken.push(address);
    memory.words().set(numbers, address / 4);
    return address;
  };
  try {
    for (const script of scripts) own.push(given.writeScript(memory, script));
    // For each thread, and for one alone: where its sections are.
    const tables = scripts.map((parts, t) =>
      words(parts.flatMap((section, s) => [own[t]!.sections[s]!, section.length])),
    );
    const single = words(sections.flatMap(({ parts }, s) => [alone.sections[s]!, parts.length]));
    const most = sections.reduce((sum, s) => sum + Math.ceil(s.most / Math.max(1, s.steps)) + 1, 0);
    const spans = words(Array.from({ length: most * SPAN_WORDS }, () => 0));
    let to = spans;
    let gain = 0;
    // Where other processes have the cores, threads sleep at barriers, and one is quicker: then so many calls are left to it, twice
    // as many each time, before several are tried again.
    let [calls, pause] = [0, 1];
    const together = (end: number): void => {
      const before = lead.slept;
      lead.tour(task, spans, end, tables);
      const crowded = ((lead.slept - before) >>> 0) * SLEEP > gain;
      calls = crowded ? pause : 0;
      pause = crowded ? Math.min(2 * pause, MOST_CALLS) : 1;
    };
    return {
      walk(section, first, steps, reverse, parity) {
        const all = memory.words();
        let at = to / 4;
        all[at++] = section;
        all[at++] = first;
        all[at++] = steps;
        all[at++] = reverse;
        all[at++] = parity;
        to = 4 * at;
        gain += gains[section]! * steps;
      },
      run() {
        const end = to;
        to = spans;
        if (always || (gain > COMMAND && calls-- <= 0)) together(end);
        else {
          lead.check();
          exports.tour!(spans, end, single);
        }
        gain = 0;
      },
      setTableRows(launch, rows) {
        shares.get(launch)?.forEach(([thread, share]) => own[thread]!.setTableRows(share, rows));
      },
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
