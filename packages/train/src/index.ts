/** Training: from data to a model that has learned. */
export * from "./losses/index.ts";
export * from "./optimizers/index.ts";
export { createTrainer, type TrainerOptions } from "./trainer.ts";
export type { Batch, Evaluation, Step, StepOptions, Trainer, TrainerState } from "./types.ts";
export type { Clip } from "./update.ts";
export * from "./schedules.ts";
