/** Dropout's masks of a step: a function of the seed and the number of the step, so that nothing of it has to be kept in a checkpoint. */
import { random, type Call, type NetworkGraph } from "@recurra/core/internal";

/** Seeds that lie side by side must not give like masks: the finaliser of MurmurHash3 (Appleby 2011). */
export function mix(seed: number, step: number): number {
  let h = (seed ^ Math.imul(step, 0x9e3779b1)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Add a mask to the call for each dropout of the graph: 1 where a value is kept. */
export function drawMasks({ dropouts }: NetworkGraph, call: Call, seed: number, step: number): void {
  if (dropouts.length === 0) return;
  const draw = random(mix(seed, step));
  const { steps, batch } = call;
  for (const { input, keep } of dropouts) {
    const mask = new Float32Array((input.domain === "batch" ? 1 : steps) * batch * input.width);
    for (let i = 0; i < mask.length; i++) mask[i] = draw() < keep ? 1 : 0;
    call.inputs.set(input.name, mask);
  }
}
