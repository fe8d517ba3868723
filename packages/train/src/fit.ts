/** Training as one loop of events: `for await (const event of fit(model, data, { … }))`. */
import { RecurraError, type Model } from "@recurra/core";
import { checkOptions, fail } from "@recurra/core/internal";
import { checkData, type Data } from "./data/data.ts";
import type { FitEvent } from "./events.ts";
import { fitting, fittingOptions, type FittingOptions } from "./fitting.ts";
import { hostTrainer, isHostLoss, type HostLoss } from "./host-loss.ts";
import type { Loss } from "./losses/loss.ts";
import type { Measured } from "./means.ts";
import { checkMetrics, type Metric } from "./metrics.ts";
import { sgd } from "./optimizers/index.ts";
import { createTrainer, type TrainerOptions } from "./trainer.ts";
import type { Trainer } from "./types.ts";
import { validate } from "./validate.ts";

export interface FitOptions extends Omit<TrainerOptions, "loss">, FittingOptions {
  /** `crossEntropy()`, `meanSquared()`, `ctc()`, …: of the network's (first) output. */
  readonly loss: Loss | HostLoss;
}

/**
 * Trains a model. Nothing happens before the first event is asked for, and who leaves the loop ends the training; the model then has
 * the parameters of the last step, and at the end of all the best ones where there is validation data. After every batch the event loop
 * has a turn, so that a page stays alive; a worker keeps it smooth.
 * @throws RecurraError on misfits, naming the batch and the row, before any parameter changes; BUSY where another `fit` of the model isn't over
 */
export async function* fit(model: Model, data: Data, options: FitOptions): AsyncGenerator<FitEvent, void> {
  checkOptions(options, ["loss", "optimizer", "clip", ...fittingOptions], "fit");
  const { loss, optimizer, clip = {}, ...rest } = options;
  const { seed = 0 } = rest;
  if (fitted.has(model))
    fail(
      "BUSY",
      "fit: expected a model that isn't being trained, got one in the middle of another fit; finish that one, or leave its loop",
    );
  const trainer = trainerOf(model, { loss, optimizer, clip, seed });
  fitted.add(model);
  let failed = false;
  try {
    yield* fitting(trainer, data, rest);
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    fitted.delete(model);
    await close(trainer, failed);
  }
}

/** Brings the model's own copies of the parameters up to date, where the backend answers later, and frees the rest. */
async function close(trainer: Trainer, failed: boolean): Promise<void> {
  try {
    await trainer.state();
  } catch (error) {
    // A model that is gone has nothing to tell, and what has ended the run is told before what comes of it.
    const gone = error instanceof RecurraError && error.code === "DISPOSED";
    if (!failed && !gone) throw error;
  } finally {
    trainer.dispose();
  }
}

/** Models in training: two at once would each update what the other has measured, and a checkpoint would hold half of it. */
const fitted = new WeakSet<Model>();

/** The mean loss of a model, and metrics, over all batches of data. */
export async function evaluate(
  model: Model,
  data: Data,
  options: { readonly loss: Loss | HostLoss; readonly metrics?: readonly Metric[] },
): Promise<Measured> {
  checkOptions(options, ["loss", "metrics"], "evaluate");
  checkData(data, "evaluate");
  checkMetrics(options.metrics ?? [], "evaluate");
  const trainer = trainerOf(model, { loss: options.loss, optimizer: sgd({ learningRate: 0 }) });
  try {
    return await validate(trainer, data, options.metrics);
  } finally {
    trainer.dispose();
  }
}

const trainerOf = (
  model: Model,
  { loss, ...options }: Omit<TrainerOptions, "loss"> & Pick<FitOptions, "loss">,
): Trainer =>
  isHostLoss(loss) ? hostTrainer(model, { ...options, loss }) : createTrainer(model, { ...options, loss });
