/** Beam search: at every step the likeliest sequences of ids so far, each with a stream of its own, forked where two go on from one. */
import type { AsyncModel, Frame, Stream, SyncModel, SyncStream } from "@recurra/core";
import { checkOptions, checkWhole } from "@recurra/core/internal";
import { checkPrompt, idFrames } from "./frames.ts";
import { logSoftmax } from "./log-sum.ts";
import { checkLogits } from "./sample.ts";

export interface BeamOptions {
  /** How many sequences are kept at every step. */
  readonly width: number;
  /** How many ids at most. */
  readonly length: number;
  /** A sequence that has this id is done; it is the last of its ids. */
  readonly end?: number;
}

export interface Hypothesis {
  readonly ids: readonly number[];
  /** log of the probability of all ids, given the prompt. */
  readonly logProbability: number;
}

interface Open extends Hypothesis {
  readonly stream: Stream | SyncStream;
  /** Of the next id, by id. */
  readonly logs: Float64Array;
}

/**
 * The likeliest sequences that were found, the likeliest first.
 * @param model ids (or one-hot) → logits
 * @param prompt ids to begin with, at least one; they aren't given back
 * @throws RecurraError NON_FINITE where logits make no probabilities
 */
export async function beamSearch(
  model: SyncModel | AsyncModel,
  prompt: ArrayLike<number>,
  options: BeamOptions,
): Promise<Hypothesis[]> {
  const who = "beamSearch";
  checkOptions(options, ["width", "length", "end"], who);
  const { width, length, end } = options;
  checkWhole(width, `${who}: width`);
  checkWhole(length, `${who}: length`);
  checkPrompt(prompt, who);
  const { frame, logits, classes } = idFrames(model, who);
  if (end !== undefined) checkWhole(end, `${who}: end`, 0, classes - 1);
  const frames = Array.from(prompt, frame);
  const logsOf = (output: Frame): Float64Array => {
    const next = logits(output);
    checkLogits(next, who);
    return logSoftmax(next);
  };

  const streams = new Set<Stream | SyncStream>();
  const drop = (stream: Stream | SyncStream): void => {
    stream.dispose();
    streams.delete(stream);
  };
  try {
    const stream = model.stream();
    streams.add(stream);
    let output: Frame = new Float32Array();
    for (const each of frames) output = await stream.step(each);
    let open: Open[] = [{ ids: [], logProbability: 0, stream, logs: logsOf(output) }];
    let done: Hypothesis[] = [];

    for (let i = 0; i < length && open.length > 0; i++) {
      const next = open
        .flatMap((from) =>
          Array.from(from.logs, (log, id) => ({ from, id, logProbability: from.logProbability + log })),
        )
        .sort(byProbability)
        .slice(0, width);
      const parents = open;
      open = [];
      for (const { from, id, logProbability } of next) {
        const ids = [...from.ids, id];
        if (id === end || i === length - 1) done.push({ ids, logProbability });
        else {
          const own = await from.stream.fork();
          streams.add(own);
          open.push({
            ids,
            logProbability,
            stream: own,
            logs: logsOf(await own.step(frame(id))),
          });
        }
      }
      for (const parent of parents) drop(parent.stream);
      done = done.sort(byProbability).slice(0, width);
      // What goes on only gets less likely.
      const least = done.length < width ? -Infinity : (done.at(-1) as Hypothesis).logProbability;
      for (const late of open.filter(({ logProbability }) => logProbability <= least)) drop(late.stream);
      open = open.filter(({ logProbability }) => logProbability > least);
    }
    return done;
  } finally {
    for (const stream of streams) stream.dispose();
  }
}

const byProbability = (a: Hypothesis | { logProbability: number }, b: { logProbability: number }): number =>
  b.logProbability - a.logProbability;
