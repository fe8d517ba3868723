/** What threads are to the rest of this package, which runs without them: types alone, so that nobody ships threads unasked. */
import type { Program } from "@recurra/core";
import type { Assembler, Routine } from "./assembler.ts";
import type { fail } from "./errors.ts";
import type { Bound } from "./launch.ts";
import type { Abreast } from "./matrix.ts";
import type { Memory, openMemory } from "./memory.ts";
import type { Script, ScriptPart, writeScript } from "./script.ts";
import type { Exports } from "./webassembly.ts";

/** What threads are given of this package, rather than import it: tsdown.config.ts says why. */
export interface Given {
  readonly openMemory: typeof openMemory;
  readonly writeScript: typeof writeScript;
  readonly fail: typeof fail;
}

/** A bound program, as threads get it. */
export interface Task {
  readonly program: Program;
  readonly exports: Exports;
  /** The module that `exports` is an instance of, and where the barrier is in its table. */
  readonly bytes: () => Uint8Array;
  readonly barrier: number;
  readonly batch: number;
  /** Of one thread. */
  readonly script: Script;
  readonly sections: readonly TaskSection[];
}

export interface TaskSection {
  readonly parts: readonly ScriptPart[];
  readonly reverse: boolean;
  /** The most steps that it is walked for at once, and altogether. */
  readonly steps: number;
  readonly most: number;
}

/** A program's share in the threads. */
export interface Team {
  /** Note that a section is to be walked. */
  walk(section: number, first: number, steps: number, reverse: number, parity: number): void;
  /** Walk what has been noted: together, or on one thread where that is quicker. */
  run(): void;
  setTableRows(launch: Bound, rows: number): void;
  dispose(): void;
}

export interface Crew {
  readonly memory: Memory;
  readonly threads: number;
  /** Put into a module what threads need. */
  readonly extend: (assembler: Assembler, walk: Routine) => void;
  /** How a matrix [depth, width] that a single row is multiplied by is packed, so that it can be shared out. */
  readonly abreast: (relaxed: boolean, depth: number, width: number) => Abreast;
  /** Undefined where one thread is quicker. */
  bind(task: Task): Team | undefined;
  dispose(): void;
}
