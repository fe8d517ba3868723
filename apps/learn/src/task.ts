// What a task is: something to be learned, and what of it is reached.
import type { Trainer } from "@recurra/train";
import type { Experiment } from "./experiment.ts";
import type { DataPackage } from "./fetch.ts";

/** What a task is given: an engine that trains, and data. */
export interface Lab {
  /** The folder of a package of data. */
  fetch(name: DataPackage): Promise<string>;
  /**
   * Trains, shows how it goes, and resolves with what `then` makes of the trainer.
   * @param doing what it is called in the progress
   * @param enough asked after every epoch: whether it may stop
   */
  train<Result>(
    doing: string,
    experiment: Experiment,
    then: (trainer: Trainer) => Promise<Result>,
    enough?: (trainer: Trainer, epoch: number) => Promise<boolean>,
  ): Promise<Result>;
  say(message: string): void;
}

export interface Outcome {
  /** What the result's line says after the task's name. */
  readonly text: string;
  /** What is judged. */
  readonly value: number;
}

export interface Task {
  /** Settings in words: data, network, batches. */
  readonly about: string;
  learn(lab: Lab): Promise<Outcome>;
  /** Why the target is missed; undefined where it is reached. @param peer what PyTorch has reached beside it */
  missed(value: number, peer: number | undefined): string | undefined;
}
