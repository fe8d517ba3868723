/**
 * A loss that is computed on the host, from the output: what no expression of the language can say. Where G is its gradient with
 * respect to the output y, Σ G · y has the same gradient with respect to all else, and that is a loss like any other.
 */
import { gradient, rowSum, type Model, type Tensor } from "@recurra/core";
import { fail } from "@recurra/core/internal";
import { readBatch } from "./batch.ts";
import { valuesOf, type Loss, type Rows } from "./losses/loss.ts";
import { mix } from "./random.ts";
import { createTrainer, type TrainerOptions } from "./trainer.ts";
import type { Batch, Evaluation, Trainer } from "./types.ts";

export interface HostLoss {
  readonly name: string;
  /**
   * @returns the mean loss, what it divided by, and its gradient with respect to the output
   * @throws RecurraError where the batch doesn't fit; naming the row
   */
  onHost(output: Tensor, batch: Batch): HostLossValue;
}

export interface HostLossValue {
  readonly loss: number;
  readonly weight: number;
  readonly gradient: Tensor;
}

export const isHostLoss = (loss: unknown): loss is HostLoss =>
  typeof (loss as Partial<HostLoss> | null | undefined)?.onHost === "function";

const ones = ({ steps, batch }: Rows): Float32Array => new Float32Array(steps * batch).fill(1);

/** Σ target · output. */
const product: Loss = {
  name: "product",
  define: (output, site) => rowSum(output.times(site.input("target", output.width))),
  read: (target, rows) => ({
    inputs: { target: Float32Array.from(valuesOf(target, rows, rows.width, "product")) },
    weights: ones(rows),
    total: 1,
  }),
};

/** Whose target is the host's to read. */
const unread: Loss = { ...product, read: (_, rows) => ({ inputs: {}, weights: ones(rows), total: 1 }) };

export interface HostTrainerOptions extends Omit<TrainerOptions, "loss"> {
  readonly loss: HostLoss;
}

/** A trainer on a loss of the host. A step runs the network twice: for the output, and for the gradient. */
export function hostTrainer(model: Model, { loss, ...options }: HostTrainerOptions): Trainer {
  const { seed = 0 } = options;
  const trainer = createTrainer(model, { ...options, loss: product });
  const drops = model.engine.network.build({ dropout: true }).dropouts.length > 0;
  let taken = 0;

  /** @param dropoutSeed of the masks that the trainer will draw at this step */
  async function measure(batch: Batch, dropoutSeed?: number): Promise<Evaluation & HostLossValue> {
    readBatch(model.engine, unread, batch);
    const { x, lengths, state: first } = batch;
    const given = { ...(lengths !== undefined && { lengths }), ...(first !== undefined && { state: first }) };
    const { output, state } =
      dropoutSeed === undefined
        ? await model.run(x, given)
        : await gradient(model, x, {}, { ...given, dropoutSeed });
    const found = loss.onHost(output, batch);
    if (!Number.isFinite(found.loss))
      fail("NON_FINITE", `${loss.name}: expected a finite loss, got ${found.loss}`);
    return { output, state, ...found };
  }

  return {
    ...trainer,
    async step(batch, given) {
      const dropoutSeed = drops ? mix(seed, taken + 1) : undefined;
      const measured = await measure(batch, dropoutSeed);
      const step = await trainer.step({ ...batch, target: measured.gradient }, given);
      taken = step.step;
      return { ...step, loss: measured.loss, weight: measured.weight };
    },
    async evaluate(batch) {
      const { loss: value, weight, output, state } = await measure(batch);
      return { loss: value, weight, output, state };
    },
    restore(state) {
      trainer.restore(state);
      taken = state.step;
    },
  };
}
