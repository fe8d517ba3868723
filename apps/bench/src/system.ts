// What the benchmark asks of a system: one of our backends, or a peer. Each has one file in systems/.
import type { Accuracy } from "@recurra/core";
import type { Data } from "./data.ts";
import type { Round } from "./timing.ts";
import type { Kind, Workload } from "./workloads.ts";

/** One cell of the table: what a system's process is started for. */
export interface Job {
  readonly workload: Workload;
  readonly kind: Kind;
  readonly data: Data;
  /** What stands in the brackets of the flag's word: `int8` of `wasm(int8)`. */
  readonly variant: string | undefined;
}

/**
 * What is checked, each row-major. forward: "output" [T, B, H] (of a stream's first FRAMES steps), and, from systems
 * that can show them, gates by their names in a trace. gradient: each parameter by its name, and "input" [T, B, I].
 * train: "loss" [TRAINED_STEPS], of each of the first steps of Adam.
 */
export type Results = Readonly<Record<string, Float32Array>>;

/** What is known of a system before it's timed. */
export interface Shown {
  readonly results: Results;
  /** Of our backends: what they promise, from which their tolerances are derived. */
  readonly accuracy?: Accuracy;
}

export interface Prepared extends Shown {
  /**
   * Times calls one after another for about `ms`, at least one. A call takes a Float32Array and ends with the
   * results in Float32Arrays, as its user would have them.
   */
  round(ms: number): Promise<Round>;
}

export interface System {
  prepare(job: Job): Promise<Prepared>;
}

/** Thrown by `prepare` where this machine lacks what the system needs: it is skipped, which is no failure. */
export class Unable extends Error {}
