/** Training: from data to a model that has learned. */
export * from "./losses/index.ts";
export * from "./optimizers/index.ts";
export { createTrainer, type TrainerOptions } from "./trainer.ts";
export type { Batch, Evaluation, Step, StepOptions, Trainer, TrainerState } from "./types.ts";
export type { Data, DataBatch, Example, Examples, LabelledExample } from "./data/data.ts";
export { batches, streamed, type BatchOptions } from "./data/batches.ts";
export { continuous, type ContinuousOptions } from "./data/continuous.ts";
export { minMaxScale, scale, standardScale, type Scale } from "./data/scale.ts";
export { splitByTime, type SplitOptions } from "./data/split.ts";
export {
  characters,
  vocabulary,
  vocabularyOf,
  words,
  type Split,
  type Vocabulary,
  type VocabularyOptions,
} from "./data/vocabulary.ts";
export { windows, type WindowOptions } from "./data/windows.ts";
export type { EndEvent, EpochEvent, FitEvent, StepEvent } from "./events.ts";
export type { Measured } from "./means.ts";
export {
  accuracy,
  perplexity,
  rmse,
  type IdMetricOptions,
  type Metric,
  type RmseOptions,
} from "./metrics.ts";
export type { Checkpoint, Snapshot } from "./checkpoint/checkpoint.ts";
export type { Clip } from "./update.ts";
export * from "./schedules.ts";
export { beamSearch, type BeamOptions, type Hypothesis } from "./beam.ts";
export { fitting, type FittingOptions } from "./fitting.ts";
export type { Signal } from "./signal.ts";
export { validate } from "./validate.ts";
export { ctc, type CtcOptions } from "./ctc.ts";
export { evaluate, fit, type FitOptions } from "./fit.ts";
export { generate, type GenerateOptions } from "./generate.ts";
export type { HostLoss, HostLossValue } from "./host-loss.ts";
export { sample, type SampleOptions } from "./sample.ts";
