// Trains experiments on an engine, and shows how it goes.
import { fitting } from "@recurra/train";
import type { Engine } from "./experiment.ts";
import { curve, type Progress } from "./progress.ts";
import type { Lab } from "./task.ts";

export const labOf = (engine: Engine, fetch: Lab["fetch"], progress: Progress): Lab => ({
  fetch,
  say: progress.say,

  async train(doing, experiment, then, enough) {
    const { data, epochs, schedule, validation, patience } = experiment;
    const trainer = await engine.open(experiment);
    const losses: number[] = [];
    const who = `${engine.name}: ${doing}`;
    try {
      const options = {
        epochs,
        ...(schedule && { schedule }),
        ...(validation && { validation }),
        ...(patience !== undefined && { patience }),
      };
      for await (const event of fitting(trainer, data, options)) {
        if (event.type === "step") {
          losses.push(event.loss);
          progress.show(who, event.step / (epochs * (event.batches ?? 1)), event.loss);
        }
        if (event.type === "epoch" && (await enough?.(trainer, event.epoch))) break;
      }
      progress.say(`${who}, ${losses.length} steps\n${curve(losses)}`);
      return await then(trainer);
    } finally {
      trainer.dispose();
    }
  },
});
