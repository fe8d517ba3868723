/**
 * What threads need besides the engine: a barrier, which is a routine of the table like any other, so that a script can have one
 * between two launches; and a tour, which walks several spans in one call. Threads proposal of WebAssembly.
 */
import {
  add, choose, code, count, equals, I32, isZero, load, shiftLeft, sub, unsigned, when, repeat, type Assembler, type Code,
  type Routine, type Value,
} from "../assembler.ts"; // prettier-ignore
import { LAUNCH_PARAMETERS, NUMBERS } from "../words.ts";

/** Words of the control block, each group on a cache line of its own. */
export const control = {
  arrived: 0,
  /** One more whenever all have arrived. */
  generation: 16,
  /** Whether anybody must be woken. */
  sleepers: 32,
  /** Not 0: a thread has failed, and nobody may wait for it. */
  failed: 33,
  /** How often anybody has slept at a barrier. */
  slept: 34,
  /** That number when the first thread gave its last command. */
  sleptBefore: 35,
  /** One more with every command. */
  sequence: 48,
  idle: 49,
  done: 64,
  waiting: 65,
  command: 80,
} as const;
/** A command's arguments are followed by a word for each thread. */
export const CONTROL_WORDS = control.command + 16 + 64;

/** A barrier's numbers, in order. */
export const barrierNumbers = [
  "control", // address
  "threads",
  "patient", // how often it looks before it sleeps, as long as nobody has slept in this call
  "spins", // and afterwards
  "rounds", // of spinning and sleeping, after which it gives up
  "sleeps", // whether this thread may: a browser's main thread may not
] as const;

/** How long it sleeps at a time, in ns: then it looks whether anybody has failed. */
const SLEEP = 100_000_000;

const atomic =
  (instruction: number) =>
  (word: number, ...values: readonly Value[]): readonly Code[] => [
    ...values.map(code),
    0xfe,
    instruction,
    2,
    unsigned(4 * word),
  ];
const notify = atomic(0x00);
const wait = atomic(0x01);
const loadAtomic = atomic(0x10);
const storeAtomic = atomic(0x17);
const addAtomic = atomic(0x1e);
const DROP = 0x1a;
const TRAP = 0x00;

/** A signed number of 64 bits. */
const long = (n: number): readonly Code[] => {
  const bytes: number[] = [];
  for (; n > 63; n = Math.floor(n / 128)) bytes.push((n & 127) | 128);
  return [0x42, bytes, n];
};

/** Nobody goes on before all have come. */
export function barrier(assembler: Assembler): Routine {
  return assembler.routine(LAUNCH_PARAMETERS, ([launch], locals) => {
    const [at, generation, spins, rounds] = locals(I32);
    const number = (name: (typeof barrierNumbers)[number]) =>
      load(launch, NUMBERS + 4 * barrierNumbers.indexOf(name));
    const same = (): readonly Code[] => equals(loadAtomic(control.generation, at), generation);
    return [
      at.set(number("control")),
      generation.set(loadAtomic(control.generation, at)),
      rounds.set(number("rounds")),
      when(
        equals(addAtomic(control.arrived, at, 1), sub(number("threads"), 1)),
        [
          storeAtomic(control.arrived, at, 0),
          [addAtomic(control.generation, at, 1), DROP],
          // Who sleeps has said so before looking at the generation for the last time.
          when(loadAtomic(control.sleepers, at), [notify(control.generation, at, -1), DROP]),
        ],
        repeat(
          [
            spins.set(
              choose(
                equals(loadAtomic(control.slept, at), loadAtomic(control.sleptBefore, at)),
                number("patient"),
                number("spins"),
              ),
            ),
            repeat(spins.add(-1), choose(same(), spins, 0)),
            when(same(), [
              rounds.add(-1),
              when(loadAtomic(control.failed, at), TRAP),
              when(isZero(rounds), TRAP),
              when(number("sleeps"), [
                [addAtomic(control.sleepers, at, 1), DROP],
                [wait(control.generation, at, generation, long(SLEEP)), DROP],
                [addAtomic(control.sleepers, at, -1), DROP],
                [addAtomic(control.slept, at, 1), DROP],
              ]),
            ]),
          ],
          same(),
        ),
      ),
    ];
  });
}

/** Words of a span: section, first step, how many steps, whether in reverse, parity. */
export const SPAN_WORDS = 5;

/**
 * Walk spans. Parameters: the first, the end of the last, and this thread's sections: for each the address of its parts and how many.
 */
export function tour(assembler: Assembler, walk: Routine): Routine {
  return assembler.routine(3, ([from, to, sections], locals) => {
    const [span, section] = locals(I32);
    return count(span, from, to, 4 * SPAN_WORDS, [
      section.set(add(sections, shiftLeft(load(span), 3))),
      walk.call(
        load(section), load(section, 4), load(span, 4), load(span, 8), load(span, 12), load(span, 16),
      ), // prettier-ignore
    ]);
  });
}
