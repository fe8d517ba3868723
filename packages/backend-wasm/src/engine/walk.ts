/**
 * The time loop. A section's parts, in the device's memory: a word for the kind (0: all rows at once, 1: a loop), how many launches,
 * and where the lists of their addresses lie, for the two places that a state's pair may be in.
 */
import {
  add, and, choose, count, I32, load, mul, shiftLeft, sub, type Assembler, type Routine,
} from "../assembler.ts"; // prettier-ignore
import { LAUNCH_PARAMETERS, PLACE, ROWS, ROWS_PER_STEP } from "../words.ts";

export const PART_WORDS = 4;

/** Run parts over a span of steps. Parameters: parts, how many, first step, how many steps, whether in reverse, parity of the first. */
export const walk = (assembler: Assembler): Routine =>
  assembler.routine(6, (parameters, locals) => {
    const [part, parts, first, steps, reverse, parity] = parameters;
    const [p, loop, turn, step, list, last, launch] = locals(I32);
    return count(p, 0, parts, 1, [
      loop.set(load(part)),
      count(turn, 0, choose(loop, steps, 1), 1, [
        step.set(add(first, choose(and(reverse, loop), sub(sub(steps, turn), 1), turn))),
        list.set(choose(and(and(add(parity, turn), 1), loop), load(part, 12), load(part, 8))),
        last.set(add(list, shiftLeft(load(part, 4), 2))),
        count(list, list, last, 4, [
          launch.set(load(list)),
          assembler.callAt(
            LAUNCH_PARAMETERS,
            load(launch, PLACE),
            launch,
            step,
            add(load(launch, ROWS), mul(load(launch, ROWS_PER_STEP), choose(loop, 1, steps))),
          ),
        ]),
      ]),
      part.add(4 * PART_WORDS),
    ]);
  });
