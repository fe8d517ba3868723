/**
 * What the parts of training say to each other: a batch, a trainer that takes steps on it, and what a checkpoint holds of a trainer.
 */
import type { IdTensor, Input, Model, Tensor } from "@recurra/core";

/** Sequences of one size that are learned from together, time-major. */
export interface Batch {
  /** [time, batch, features], or several inputs by name. */
  readonly x: Input;
  /**
   * What the loss compares the output with: [time, batch, …], or [batch, …] where the network's output has one row a sequence. Ids
   * have no last dimension.
   */
  readonly target: Tensor | IdTensor;
  /** How many steps each row has; what lies past them has no loss. Default: all have all. */
  readonly lengths?: ArrayLike<number>;
  /** Initial states by name, [batch, width]: those after the batch before, in truncated back-propagation through time. */
  readonly state?: Readonly<Record<string, Tensor>>;
}

export interface Evaluation {
  /** The mean over all that has a loss; 0 where nothing has. */
  readonly loss: number;
  /** What the mean divides by, so that means of batches make a mean of all. */
  readonly weight: number;
  /** The states after each row's last step, [batch, width]. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** The network's (first) output. */
  readonly output: Tensor;
}

export interface Step extends Evaluation {
  /** How many steps were taken, this one included. */
  readonly step: number;
  readonly learningRate: number;
}

/** All that a trainer changes. Tensors are copies. */
export interface TrainerState {
  readonly step: number;
  /** Of the model, by name. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** Whose moments these are. */
  readonly optimizer: string;
  /** Of the optimizer: `moment.parameter storage`. */
  readonly moments: Readonly<Record<string, Tensor>>;
}

export interface StepOptions {
  /** In place of the optimizer's own: what a schedule says for this step. */
  readonly learningRate?: number;
  /** Is told what was measured, before anything changes; where it throws, no step is taken. */
  readonly before?: (measured: Evaluation) => void;
}

/** Takes steps of gradient descent on a model. */
export interface Trainer {
  readonly model: Model;
  /**
   * Loss, gradient, clipping, update.
   * @throws RecurraError on misfits and on NaN in the data, naming the row; NON_FINITE_LOSS with the layer, gate and time step that the
   * first such value came from, or, where the loss is finite and its gradient isn't, with the parameter. No parameter has changed then.
   */
  step(batch: Batch, options?: StepOptions): Promise<Step>;
  /** The loss alone; nothing changes, nothing is dropped. */
  evaluate(batch: Batch): Promise<Evaluation>;
  /** Where training stands. Brings the model's `parameters()` up to date. */
  state(): Promise<TrainerState>;
  restore(state: TrainerState): void;
  /** What a step runs, and the memory that it takes; with sizes in place of T and B where they are given. */
  explain(sizes?: { readonly steps?: number; readonly batch?: number }): string;
  /** Frees what training needs; the model stays. */
  dispose(): void;
}
