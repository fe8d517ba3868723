/** The loop over epochs and batches. It knows a trainer and data, and where it stands; all else is theirs. */
import { checkOptions, checkWhole, check, fail, isRecord } from "@recurra/core/internal";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { fromSnapshot, toSnapshot, type Position } from "./checkpoint/snapshot.ts";
import { checkData, type Data } from "./data/data.ts";
import type { EndEvent, FitEvent } from "./events.ts";
import { batchesOf, inBatch } from "./in-batch.ts";
import { addTo, meansOf } from "./means.ts";
import { checkMetrics, type Metric } from "./metrics.ts";
import { checkNumber } from "./numbers.ts";
import type { Plateau, Schedule } from "./schedules.ts";
import { throwIfAborted, type Signal } from "./signal.ts";
import { turn } from "./turn.ts";
import type { Evaluation, StepOptions, Trainer } from "./types.ts";
import { checkTrainer, continued, validate } from "./validate.ts";

export interface FittingOptions {
  /** How many times to go over the data. */
  readonly epochs: number;
  /**
   * The learning rate of each step, from how many were taken before; or from the loss (the validation's, where there is one) after each
   * epoch. Default: the optimizer's own.
   */
  readonly schedule?: Schedule | Plateau;
  /** What no step is taken on. Its loss is measured after every epoch, and the best parameters are kept. */
  readonly validation?: Data;
  /** Measured on the validation data and, of every batch before its step, on the training data. */
  readonly metrics?: readonly Metric[];
  /** Stop when the validation's loss wasn't the least for so many epochs. */
  readonly patience?: number;
  /** Of all that is drawn in training. A checkpoint is of one seed. Default: 0. */
  readonly seed?: number;
  /** Where the run is kept; one that was interrupted goes on from there, to the same bits. */
  readonly checkpoint?: Checkpoint;
  /** Stops after the batch at hand, and doesn't wait for the next one, by throwing its reason. */
  readonly signal?: Signal;
}

export const fittingOptions = [
  "epochs", "schedule", "validation", "metrics", "patience", "seed", "checkpoint", "signal",
] as const; // prettier-ignore

/** The loop of `fit`, for a trainer of one's own. Trains until it's over. However it ends, the model has the parameters of the last step, or the best ones. */
export async function* fitting(
  trainer: Trainer,
  data: Data,
  options: FittingOptions,
): AsyncGenerator<FitEvent, void> {
  checkTrainer(trainer, "fit");
  readOptions(data, options);
  const {
    epochs,
    schedule,
    validation,
    metrics = [],
    patience = Infinity,
    seed = 0,
    checkpoint,
    signal,
  } = options;
  const every = checkpoint?.every ?? Infinity;
  let at: Position = {
    seed,
    size: data.size,
    epoch: 0,
    batch: 0,
    sums: new Map(),
    waited: 0,
    carried: {},
    bestParameters: {},
  };
  let step = 0;

  const rate = (before: number): StepOptions => {
    if (schedule === undefined) return {};
    const learningRate = typeof schedule === "function" ? schedule(before) : schedule.learningRate;
    // None would be taken for the optimizer's own.
    checkNumber(learningRate, "schedule");
    return { learningRate };
  };
  const saved = await checkpoint?.load();
  if (saved) {
    const { position, state } = fromSnapshot(saved, seed);
    const { size = data.size } = position;
    if (data.size !== undefined && size !== data.size)
      fail(
        "INVALID_ARGUMENT",
        `checkpoint: expected data of ${size} batches an epoch, got ${data.size}; give the data of that run, or another file`,
      );
    trainer.restore(state);
    at = { ...position, size };
    step = state.step;
  }
  // It may have been used before.
  if (typeof schedule === "object") schedule.restore(at.plateau);

  // What doesn't fit shows before a parameter changes: here the validation's first batch.
  if (validation) await validate(trainer, validation, metrics, signal, 1);

  throwIfAborted(signal);
  // Not kept with the rest: more epochs may be asked for than last time, or more patience.
  const ended = (): EndEvent["reason"] | undefined =>
    validation && at.waited >= patience ? "patience" : at.epoch >= epochs ? "epochs" : undefined;
  let reason = ended();
  for (; reason === undefined; reason = ended()) {
    for await (const batch of batchesOf(data, at.epoch, at.batch, `epoch ${at.epoch}`, signal)) {
      const { epoch, batch: index } = at;
      const taken = await inBatch(`batch ${index} of epoch ${epoch}`, async () => {
        const given = continued(batch, at.carried);
        // What a metric can't be measured of shows before a parameter changes.
        const before = (measured: Evaluation): void => addTo(at.sums, measured, given, metrics);
        return trainer.step(given, { ...rate(step), before });
      });
      step = taken.step;
      at.batch++;
      at.carried = taken.state;
      if (at.batch % every === 0) await checkpoint?.save(toSnapshot(at, await trainer.state()));
      const { loss, learningRate } = taken;
      yield { type: "step", epoch, batch: index, batches: data.size, step, loss, learningRate };
      await turn();
    }
    if (at.batch === 0)
      fail("INVALID_ARGUMENT", `fit: expected at least one batch, got none in epoch ${at.epoch}`);

    const { epoch } = at;
    const means = meansOf(at.sums, metrics);
    const validated = validation && (await validate(trainer, validation, metrics, signal));
    const best = validated !== undefined && !(at.best && at.best.loss <= validated.loss);
    // Asked for even where nothing keeps it: where the backend answers later, `parameters()` are as of the last time.
    const state = await trainer.state();
    if (best) Object.assign(at, { best: { epoch, loss: validated.loss }, bestParameters: state.parameters });
    Object.assign(at, {
      epoch: epoch + 1,
      batch: 0,
      sums: new Map(),
      carried: {},
      ...(validated && { waited: best ? 0 : at.waited + 1 }),
    });
    if (typeof schedule === "object") {
      schedule.observe((validated ?? means).loss);
      at.plateau = schedule.state();
    }
    await checkpoint?.save(toSnapshot(at, state));
    yield { type: "epoch", epoch, step, ...means, validation: validated, best };
  }

  // Without validation data the best of a run before isn't this one's.
  const best = validation && at.best;
  if (best) trainer.restore({ ...(await trainer.state()), parameters: at.bestParameters });
  yield { type: "end", reason, epochs: at.epoch, step, best };
}

function readOptions(data: Data, options: FittingOptions): void {
  const who = "fit";
  checkOptions(options, fittingOptions, who);
  checkData(data, who);
  const { epochs, schedule, validation, metrics = [], patience, seed = 0, checkpoint, signal } = options;
  checkWhole(epochs, `${who}: epochs`);
  checkWhole(seed, `${who}: seed`, -Infinity);
  if (validation !== undefined) checkData(validation, `${who}: validation`);
  checkMetrics(metrics, who);
  if (schedule !== undefined && typeof schedule !== "function") {
    const { observe, mode } = (schedule ?? {}) as Partial<Plateau>;
    check(
      typeof observe === "function",
      `${who}: schedule`,
      "a function of the step, or plateau(…)",
      schedule,
    );
    check(mode === "min", `${who}: schedule`, 'a plateau of mode "min", since it is told the loss', mode);
  }
  if (patience !== undefined) {
    checkWhole(patience, `${who}: patience`);
    check(validation !== undefined, `${who}: patience`, "validation data to judge by", validation);
  }
  if (signal !== undefined) {
    const { aborted, addEventListener } = (signal ?? {}) as { readonly [N in keyof Signal]?: unknown };
    const is = typeof aborted === "boolean" && typeof addEventListener === "function";
    check(is, `${who}: signal`, "an AbortSignal", signal);
  }
  if (checkpoint !== undefined) {
    const keeps =
      isRecord(checkpoint) && [checkpoint.load, checkpoint.save].every((f) => typeof f === "function");
    check(keeps, `${who}: checkpoint`, "a checkpoint, such as checkpointFile(path)", checkpoint);
  }
  if (checkpoint?.every !== undefined) checkWhole(checkpoint.every, `${who}: checkpoint.every`);
}
