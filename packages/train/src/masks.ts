/** Dropout's masks of a step: a function of the seed and the number of the step, so that nothing of it has to be kept in a checkpoint. */
import { drawMasks, type Call, type Graph } from "@recurra/core/internal";
import { derived } from "./random.ts";

/** Add a mask to the call for each dropout of the graph. */
export function drawStep({ dropouts }: Graph, call: Call, seed: number, step: number): void {
  if (dropouts.length > 0) drawMasks(dropouts, call, derived(seed, step));
}
