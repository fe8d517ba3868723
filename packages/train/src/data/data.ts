/** What `fit` takes as data: batches by epoch, in an order that is the same whenever it is asked for, so that a run can go on amid an epoch. */
import type { IdTensor, Tensor } from "@recurra/core";
import { check } from "@recurra/core/internal";
import type { Batch } from "../types.ts";

export interface Data {
  /** How many batches every epoch has, where that is known; an epoch of more or fewer is refused. */
  readonly size?: number;
  /**
   * The batches of an epoch, the same ones in the same order each time.
   * @param from how many of them to leave out at the start. Default: 0
   */
  batches(epoch: number, from?: number): Iterable<DataBatch> | AsyncIterable<DataBatch>;
}

export interface DataBatch extends Batch {
  /**
   * Each row goes on where the same row of the batch before has ended, so it begins with the state there: truncated back-propagation
   * through time (Williams & Peng 1990). Default: false.
   */
  readonly continues?: boolean;
}

/** One sequence, and what is to be learned of it. */
export interface Example {
  /** [time, features], or ids [time]. */
  readonly x: Tensor | IdTensor;
  /** A value at every step, [time, width] or ids [time]; or one for the sequence, [width] or a single id []. */
  readonly target: Tensor | IdTensor;
}

/** One sequence, and labels that aren't aligned with its steps, for `ctc`. */
export interface LabelledExample {
  /** [time, features], or ids [time]. */
  readonly x: Tensor | IdTensor;
  /** Ids [labels]. */
  readonly labels: IdTensor;
}

/** Examples that can be had in any order. An array of examples is made one by `examplesOf`. */
export interface Examples {
  readonly size: number;
  get(index: number): Example | LabelledExample;
}

export function checkData(data: unknown, who: string): void {
  const ok = typeof (data as Partial<Data> | null | undefined)?.batches === "function";
  check(ok, who, "data with batches of an epoch, by batches(…) or another helper", data);
}

/** Strings are, too; what isn't an example or a token in them shows later. */
export function checkIterable(given: unknown, who: string, wanted = "something to iterate"): void {
  const own: object = Object(given) as object;
  check(Symbol.iterator in own || Symbol.asyncIterator in own, who, wanted, given);
}
