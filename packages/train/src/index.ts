/** Training: from data to a model that has learned. */
export type { Batch, Evaluation, Step, StepOptions, Trainer, TrainerState } from "./types.ts";
