/** A pass over data on which nothing is learned. */
import { fail } from "@recurra/core/internal";
import type { Data, DataBatch } from "./data/data.ts";
import { inBatch } from "./in-batch.ts";
import { addTo, meansOf, type Measured, type Sums } from "./means.ts";
import type { Metric } from "./metrics.ts";
import { turn } from "./turn.ts";
import type { Batch, Evaluation, Trainer } from "./types.ts";

/** What is needed of an AbortSignal. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
}

/** The mean loss and the metrics over all batches of data, with nothing dropped. */
export async function validate(
  trainer: Trainer,
  data: Data,
  metrics: readonly Metric[] = [],
  signal?: Signal,
): Promise<Measured> {
  const sums: Sums = {};
  let carried: Evaluation["state"] = {};
  let index = 0;
  for await (const batch of data.batches(0)) {
    throwIfAborted(signal);
    const given = continued(batch, carried);
    const evaluated = await inBatch(`batch ${index} of the validation data`, () => trainer.evaluate(given));
    addTo(sums, evaluated, given, metrics);
    carried = evaluated.state;
    index++;
    await turn();
  }
  if (index === 0) fail("INVALID_ARGUMENT", "fit: expected at least one batch of validation data, got none");
  return meansOf(sums, metrics);
}

/** A batch with the state that it goes on from, where it does. */
export const continued = ({ continues = false, ...batch }: DataBatch, carried: Evaluation["state"]): Batch =>
  continues ? { ...batch, state: carried } : batch;

export function throwIfAborted(signal: Signal | undefined): void {
  if (signal?.aborted) throw signal.reason;
}
