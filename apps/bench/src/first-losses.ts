// What training shows to be checked.
import { TRAINED_STEPS } from "./data.ts";
import type { Results } from "./system.ts";

/** The results of a system that is asked for its first steps. */
export async function firstLosses(step: () => number | Promise<number>): Promise<Results> {
  const loss = new Float32Array(TRAINED_STEPS);
  for (let k = 0; k < TRAINED_STEPS; k++) loss[k] = await step();
  return { loss };
}
