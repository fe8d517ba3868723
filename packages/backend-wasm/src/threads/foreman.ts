/** The first thread: it gives workers commands, and works along. */
import { control as words, CONTROL_WORDS } from "../engine/barrier.ts";
import { panelsOfRow } from "../engine/gemm.ts";
import { PANEL } from "../engine/tile.ts";
import type { Abreast } from "../matrix.ts";
import type { Memory } from "../memory.ts";
import type { Crew, Given, Task, Team } from "../team.ts";
import type { Exports } from "../webassembly.ts";
import { bindTeam, type Lead } from "./bind.ts";
import { TILE } from "./share.ts";
import { FIRST_THREAD, KEPT, MODULE, STOP, TOUR, type Handle } from "./worker.ts";

export interface ForemanOptions {
  /** Share out whatever can be, worth it or not: for tests. */
  readonly always?: boolean;
  /** How long a thread waits for another that doesn't come, in ms. Default: 30,000. */
  readonly patience?: number;
}

/** Looks at a word before the first thread sleeps. */
const LOOKS = 5000;
/** ms that it sleeps at a time. */
const NAP = 100;

export class Foreman implements Crew, Lead {
  readonly threads: number;
  readonly always: boolean;
  readonly patience: number;
  readonly sleeps: boolean;
  readonly #words: Int32Array;
  /** Numbers of the workers' instances; the next one replaces what was made first. */
  readonly #sent = new Map<Exports, number>();
  #next: number;
  #lost: string | undefined;
  #disposed = false;

  constructor(
    readonly given: Given,
    readonly memory: Memory,
    readonly control: number,
    readonly workers: readonly Handle[],
    readonly extend: Crew["extend"],
    readonly prebuilt: boolean,
    { always = false, patience = 30_000 }: ForemanOptions,
  ) {
    this.threads = workers.length + 1;
    this.always = always;
    this.patience = patience;
    this.#next = 0;
    this.#words = new Int32Array(memory.memory.buffer, control, CONTROL_WORDS);
    this.sleeps = maySleep(this.#words);
  }

  get slept(): number {
    return Atomics.load(this.#words, words.slept);
  }

  abreast(relaxed: boolean, depth: number, width: number): Abreast {
    // Cut between tiles of 32 columns, where each thread has some of every one of four gates; else between panels.
    return panelsOfRow(relaxed, depth, true)[0] === TILE / PANEL && width % (4 * TILE * this.threads) === 0
      ? 2
      : 0;
  }

  bind(task: Task): Team | undefined {
    return bindTeam(this, task);
  }

  /** A worker has failed: what it was working on, and all that comes after, is refused. */
  lose(why: string): void {
    if (this.#disposed) return;
    this.#lost ??= why;
    this.dispose();
  }

  check(): void {
    if (this.#lost !== undefined)
      this.given.fail(
        "DEVICE_LOST",
        `wasm: expected ${this.threads} threads at work, got one that failed (${this.#lost}); dispose of this backend and open a new one, with fewer threads if it happens again`,
      );
  }

  tour({ exports, bytes }: Task, from: number, to: number, sections: readonly number[]): void {
    const instance = this.#instance(exports, bytes);
    const all = this.#words;
    for (let t = 1; t < sections.length; t++) all[words.command + FIRST_THREAD + t] = sections[t]!;
    Atomics.store(all, words.sleptBefore, this.slept);
    this.#command(TOUR, instance, from, to);
    try {
      exports.tour!(from, to, sections[0]!);
    } catch (error) {
      Atomics.store(all, words.failed, 1);
      Atomics.notify(all, words.generation);
      this.lose(`a thread didn't come to a barrier: ${String(error)}`);
    }
    this.#await();
  }

  /** The number of the workers' instance, which they make now if they have none. */
  #instance(exports: Exports, made: () => Uint8Array): number {
    this.check();
    if (this.prebuilt) return 0;
    const known = this.#sent.get(exports);
    if (known !== undefined) return known;
    const { memory } = this;
    const number = this.#next++ % KEPT;
    for (const [old, n] of this.#sent) if (n === number) this.#sent.delete(old);
    const bytes = made();
    const address = memory.take(bytes.length);
    try {
      new Uint8Array(memory.memory.buffer, address, bytes.length).set(bytes);
      this.#command(MODULE, number, address, bytes.length);
      this.#await();
    } finally {
      memory.give(address);
    }
    this.#sent.set(exports, number);
    return number;
  }

  /** All have done with the one before. */
  #command(...command: readonly number[]): void {
    const all = this.#words;
    all.set(command, words.command);
    Atomics.store(all, words.done, 0);
    Atomics.add(all, words.sequence, 1);
    // Who sleeps has said so before looking at the sequence for the last time.
    if (Atomics.load(all, words.idle) > 0) Atomics.notify(all, words.sequence);
  }

  /** Until all workers have done what they were told. */
  #await(): void {
    const all = this.#words;
    const missing = (): boolean => Atomics.load(all, words.done) < this.workers.length;
    for (let i = 0; i < LOOKS && missing(); i++);
    if (missing()) this.#waitLonger(missing);
    if (Atomics.load(all, words.failed) !== 0) this.lose("its work ended with an error");
    this.check();
  }

  #waitLonger(missing: () => boolean): void {
    const all = this.#words;
    const end = Date.now() + this.patience;
    Atomics.store(all, words.waiting, 1);
    while (missing() && this.#lost === undefined) {
      if (Date.now() > end) this.lose(`it didn't answer for ${this.patience / 1000} s`);
      const done = Atomics.load(all, words.done);
      if (this.sleeps && done < this.workers.length) Atomics.wait(all, words.done, done, NAP);
    }
    Atomics.store(all, words.waiting, 0);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#command(STOP);
    for (const worker of this.workers) worker.terminate();
  }
}

function maySleep(all: Int32Array): boolean {
  try {
    // Not the number that is there: it returns at once, or it throws.
    Atomics.wait(all, words.done, 1, 0);
    return true;
  } catch {
    return false;
  }
}
