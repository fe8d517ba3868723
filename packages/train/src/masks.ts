/** Dropout's masks of a step: a function of the seed and the number of the step, so that nothing of it has to be kept in a checkpoint. */
import type { Call, NetworkGraph } from "@recurra/core/internal";
import { derived } from "./random.ts";

/** Add a mask to the call for each dropout of the graph: 1 where a value is kept. */
export function drawMasks({ dropouts }: NetworkGraph, call: Call, seed: number, step: number): void {
  if (dropouts.length === 0) return;
  const draw = derived(seed, step);
  const { steps, batch } = call;
  for (const { input, keep } of dropouts) {
    const mask = new Float32Array((input.domain === "batch" ? 1 : steps) * batch * input.width);
    for (let i = 0; i < mask.length; i++) mask[i] = draw() < keep ? 1 : 0;
    call.inputs.set(input.name, mask);
  }
}
