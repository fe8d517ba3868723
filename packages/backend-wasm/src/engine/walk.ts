/**
 * The time loop. A section's parts, in the device's memory: a word for the kind (0: all rows at once, 1: a loop), how many launches,
 * and where the lists of their addresses lie, for the two places that a state's pair may be in.
 */
import {
  add, and, choose, count, I32, load, mul, shiftLeft, sub, when, type Assembler, type Code, type Local, type Routine,
} from "../assembler.ts"; // prettier-ignore
import { launchSignature, PLACE, ROWS, ROWS_PER_STEP } from "../words.ts";

export const PART_WORDS = 4;

/** Run parts over a span of steps. Parameters: parts, how many, first step, how many steps, whether in reverse, parity of the first. */
export function walk(assembler: Assembler): Routine {
  const launches = assembler.routine(
    { parameters: [I32, I32, I32, I32] },
    ([list, last, step, steps], locals) => {
      const [launch] = locals(I32);
      return count(list, list, last, 4, [
        launch.set(load(list)),
        assembler.callAt(
          launchSignature,
          load(launch, PLACE),
          launch,
          step,
          add(load(launch, ROWS), mul(load(launch, ROWS_PER_STEP), steps)),
        ),
      ]);
    },
  );
  return assembler.routine({ parameters: [I32, I32, I32, I32, I32, I32] }, (parameters, locals) => {
    const [part, parts, first, steps, reverse, parity] = parameters;
    const [p, i, list] = locals(I32);
    const run = (step: Code[], steps: Local | number): Code =>
      launches.call(list, add(list, shiftLeft(load(part, 4), 2)), step, steps);
    return count(p, 0, parts, 1, [
      when(
        load(part),
        count(i, 0, steps, 1, [
          list.set(choose(and(add(parity, i), 1), load(part, 12), load(part, 8))),
          run([choose(reverse, sub(sub(add(first, steps), i), 1), add(first, i))], 1),
        ]),
        [list.set(load(part, 8)), run([add(first, 0)], steps)],
      ),
      part.add(4 * PART_WORDS),
    ]);
  });
}
