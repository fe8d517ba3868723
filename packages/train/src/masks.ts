/** Dropout's masks of a step: a function of the seed and the number of the step, so that nothing of it has to be kept in a checkpoint. */
import { drawMasks, random, type Call, type NetworkGraph } from "@recurra/core/internal";

/** Seeds that lie side by side must not give like masks: the finaliser of MurmurHash3 (Appleby 2011). */
export function mix(seed: number, step: number): number {
  let h = (seed ^ Math.imul(step, 0x9e3779b1)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Add a mask to the call for each dropout of the graph. */
export function drawStep({ dropouts }: NetworkGraph, call: Call, seed: number, step: number): void {
  if (dropouts.length > 0) drawMasks(dropouts, call, random(mix(seed, step)));
}
