/** Dropout's masks for a call. */
import type { Call } from "./call.ts";
import type { Dropout } from "./graph.ts";
import type { Random } from "./initializers.ts";

/** Add a mask for each to the call: 1 where a value is kept. */
export function drawMasks(dropouts: readonly Dropout[], { steps, batch, inputs }: Call, draw: Random): void {
  for (const { input, keep, once } of dropouts) {
    const step = batch * input.width;
    const mask = new Float32Array((input.domain === "batch" ? 1 : steps) * step);
    for (let i = 0; i < mask.length; i++)
      mask[i] = once && i >= step ? (mask[i - step] as number) : draw() < keep ? 1 : 0;
    inputs.set(input.name, mask);
  }
}
