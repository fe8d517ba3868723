/** What `fit` tells as it goes. */
import type { Measured } from "./means.ts";

/** A step was taken. */
export interface StepEvent {
  readonly type: "step";
  readonly epoch: number;
  /** Which batch of the epoch it was, from 0. */
  readonly batch: number;
  /** How many an epoch has, where the data knows it. */
  readonly batches: number | undefined;
  /** How many steps were taken in all. */
  readonly step: number;
  /** The batch's mean. */
  readonly loss: number;
  readonly learningRate: number;
}

/**
 * An epoch has ended. Its loss and metrics are means over its batches, each measured before its step. On every backend the model's
 * `parameters()` are up to date now; after a step they are where the backend answers at once.
 */
export interface EpochEvent extends Measured {
  readonly type: "epoch";
  readonly epoch: number;
  readonly step: number;
  /** On the validation data, after the epoch. */
  readonly validation: Measured | undefined;
  /** The validation's loss is the least so far. */
  readonly best: boolean;
}

/** Training is over; with validation data the model has the best parameters. */
export interface EndEvent {
  readonly type: "end";
  /** Whether all epochs were done, or `patience` of them without a better one. */
  readonly reason: "epochs" | "patience";
  readonly epochs: number;
  readonly step: number;
  readonly best: { readonly epoch: number; readonly loss: number } | undefined;
}

export type FitEvent = StepEvent | EpochEvent | EndEvent;
