/**
 * A loss that is computed on the host, from the output: what no expression of the language can say. Where G is its gradient with
 * respect to the output y, Σ G · y has the same gradient with respect to all else, and that is a loss like any other.
 */
import { gradient, rowSum, type Model, type Tensor } from "@recurra/core";
import { checkOptions } from "@recurra/core/internal";
import { readBatch } from "./batch.ts";
import { valuesOf, type Loss, type Rows } from "./losses/loss.ts";
import { drawStep } from "./masks.ts";
import { locate, stop } from "./non-finite.ts";
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
  const { engine } = model;
  const drops = engine.network.build({ dropout: true }).dropouts.length > 0;
  let taken = 0;

  /** @param step whose masks are drawn, as the trainer will */
  async function measure(who: string, batch: Batch, step?: number): Promise<Evaluation & HostLossValue> {
    const { call, rows } = readBatch(engine, unread, batch);
    const { x, lengths, state: first } = batch;
    const dropoutSeed = drops && step !== undefined ? mix(seed, step) : undefined;
    const given = { ...(lengths !== undefined && { lengths }), ...(first !== undefined && { state: first }) };
    const { output, state } =
      dropoutSeed === undefined
        ? await model.run(x, given)
        : await gradient(model, x, {}, { ...given, dropoutSeed });
    const found = loss.onHost(output, batch);
    if (!Number.isFinite(found.loss)) {
      const row = Math.floor(
        output.data.findIndex(
          (value, i) => !Number.isFinite(value) && rows.counts(Math.floor(i / rows.width)),
        ) / rows.width,
      );
      const build = { masked: call.lengths !== undefined, dropout: dropoutSeed !== undefined };
      if (step !== undefined) drawStep(engine.network.build(build), call, seed, step);
      const cause =
        row < 0
          ? "the output is finite"
          : await locate(engine, build, engine.buffers, call, row % call.batch);
      stop(who, row < 0 ? loss.name : `${rows.where(row)} (${loss.name})`, found.loss, cause);
    }
    return { output, state, ...found };
  }

  return {
    ...trainer,
    async step(batch, given = {}) {
      checkOptions(given, ["learningRate", "before"], "trainer: step");
      const { before, ...rest } = given;
      const { gradient: slope, ...measured } = await measure(`training step ${taken + 1}`, batch, taken + 1);
      before?.(measured);
      const step = await trainer.step({ ...batch, target: slope }, rest);
      taken = step.step;
      return { ...step, loss: measured.loss, weight: measured.weight };
    },
    async evaluate(batch) {
      const { loss: value, weight, output, state } = await measure("evaluation", batch);
      return { loss: value, weight, output, state };
    },
    restore(state) {
      trainer.restore(state);
      taken = state.step;
    },
  };
}
