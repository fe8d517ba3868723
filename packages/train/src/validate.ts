/** A pass over data on which nothing is learned. */
import { check, checkOneOf, fail, isRecord, show } from "@recurra/core/internal";
import { checkData, type Data, type DataBatch } from "./data/data.ts";
import { batchesOf, inBatch } from "./in-batch.ts";
import { addTo, meansOf, type Measured, type Sums } from "./means.ts";
import { checkMetrics, type Metric } from "./metrics.ts";
import type { Signal } from "./signal.ts";
import { turn } from "./turn.ts";
import type { Batch, Evaluation, Trainer } from "./types.ts";

/**
 * The mean loss and the metrics over all batches of data, or the first so many, with nothing dropped.
 * @throws RecurraError on misfits, naming the batch and the row; INVALID_ARGUMENT where nothing in all of the data has a loss
 */
export async function validate(
  trainer: Trainer,
  data: Data,
  metrics: readonly Metric[] = [],
  signal?: Signal,
  most = Infinity,
): Promise<Measured> {
  const who = "validate";
  checkTrainer(trainer, who);
  checkData(data, who);
  checkMetrics(metrics, who);
  const sums: Sums = new Map();
  let carried: Evaluation["state"] = {};
  let index = 0;
  let counted = 0;
  for await (const batch of batchesOf(data, 0, 0, "the validation data", signal)) {
    const evaluated = await inBatch(`batch ${index} of the validation data`, async () => {
      const given = continued(batch, carried);
      const result = await trainer.evaluate(given);
      addTo(sums, result, given, metrics);
      return result;
    });
    carried = evaluated.state;
    counted += evaluated.weight;
    index++;
    await turn();
    if (index === most) break;
  }
  if (index === 0)
    fail("INVALID_ARGUMENT", "validate: expected at least one batch of validation data, got none");
  // A mean of nothing would be 0, the best loss there is. The first batches alone may well have none.
  if (counted === 0 && index < most)
    fail(
      "INVALID_ARGUMENT",
      `validate: expected data of which something has a loss, got none in ${index} batches; look at lengths, ignoreIndex and weights`,
    );
  return meansOf(sums, metrics);
}

export function checkTrainer(trainer: unknown, who: string): void {
  const ok = isRecord(trainer) && typeof trainer.evaluate === "function";
  check(ok, who, "a trainer, such as createTrainer(model, …)", trainer);
}

/** A batch with the state that it goes on from, where it does. */
export function continued(given: DataBatch, carried: Evaluation["state"]): Batch {
  if (!isRecord(given)) fail("INVALID_ARGUMENT", `expected a batch { x, target }, got ${show(given)}`);
  const { continues = false, ...batch } = given;
  checkOneOf(continues, [true, false], "continues");
  return continues ? { ...batch, state: carried } : batch;
}
