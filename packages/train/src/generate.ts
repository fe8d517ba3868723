/** Ids from a network that was trained to tell the next one: each is drawn by its logits and fed back. */
import type { AsyncModel, SyncModel } from "@recurra/core";
import { checkOptions, checkWhole } from "@recurra/core/internal";
import { checkPrompt, idFrames } from "./frames.ts";
import { derived } from "./random.ts";
import { checkSampling, sample, sampleOptions, type SampleOptions } from "./sample.ts";

export interface GenerateOptions extends SampleOptions {
  /** How many ids. Default: as many as are asked for. */
  readonly length?: number;
  /** Of the draws. Default: 0. */
  readonly seed?: number;
}

/**
 * @param model ids (or one-hot) → logits
 * @param prompt ids to begin with, at least one; they aren't given back
 */
export async function* generate(
  model: SyncModel | AsyncModel,
  prompt: ArrayLike<number>,
  options: GenerateOptions = {},
): AsyncGenerator<number, void> {
  const who = "generate";
  checkOptions(options, ["length", "seed", ...sampleOptions], who);
  const { length = Infinity, seed = 0, ...sampling } = options;
  if (length !== Infinity) checkWhole(length, `${who}: length`, 0);
  checkSampling(sampling, who);
  checkPrompt(prompt, who);
  const { frame, logits } = idFrames(model, who);
  const frames = Array.from(prompt, frame);
  const draw = derived(seed);
  const stream = model.stream();
  try {
    let output;
    for (const each of frames) output = await stream.step(each);
    for (let i = 0; i < length && output; i++) {
      const id = sample(logits(output), draw, sampling);
      yield id;
      output = await stream.step(frame(id));
    }
  } finally {
    stream.dispose();
  }
}
