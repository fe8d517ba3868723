/**
 * One long sequence, learned in pieces: cut into as many tracks as a batch has rows, each read on from batch to batch with the
 * state carried over. Truncated back-propagation through time (Williams & Peng 1990).
 */
import type { IdTensor, Tensor } from "@recurra/core";
import { checkOptions, checkWhole, fail } from "@recurra/core/internal";
import { collate } from "./collate.ts";
import type { Data } from "./data.ts";
import { checkSeries, rows } from "./rows.ts";

export interface ContinuousOptions {
  /** How many tracks are read side by side. */
  readonly batchSize: number;
  /** How many steps a batch has; the last one of an epoch may have fewer. */
  readonly length: number;
}

/**
 * The target at each step is the next step. Every epoch is the same.
 * @param series [time, features], or ids [time]
 */
export function continuous(series: Tensor | IdTensor, options: ContinuousOptions): Data {
  const who = "continuous";
  checkOptions(options, ["batchSize", "length"], who);
  const time = checkSeries(series, who);
  const { batchSize, length } = options;
  checkWhole(batchSize, `${who}: batchSize`);
  checkWhole(length, `${who}: length`);
  const track = Math.floor((time - 1) / batchSize);
  if (track < 1)
    fail("SHAPE_MISMATCH", `${who}: expected at least ${batchSize + 1} steps (batchSize + 1), got ${time}`);
  const size = Math.ceil(track / length);
  return {
    size,
    *batches(_, from = 0) {
      for (let i = from; i < size; i++) {
        const end = Math.min(track, (i + 1) * length);
        const parts = Array.from({ length: batchSize }, (_row, row) => ({
          x: rows(series, row * track + i * length, row * track + end),
          target: rows(series, row * track + i * length + 1, row * track + end + 1),
        }));
        yield { ...collate(parts), continues: i > 0 };
      }
    },
  };
}
