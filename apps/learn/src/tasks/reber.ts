// The embedded Reber grammar: the next symbol at every step. Solved, as Hochreiter & Schmidhuber 1997 have it, when all strings of
// the training set and of the test set are predicted: at every step all legal symbols before all illegal ones.
import { batches, type Data, type Example, type Trainer } from "@recurra/train";
import { below, draws } from "../random.ts";
import { drawReber, isPredicted, type ReberString, SYMBOLS } from "../reber.ts";
import type { Task } from "../task.ts";

const SEEDS = 20;
/** The fewest sequences that their table 2 has for an LSTM. */
const FEWEST = 8440;
const STRINGS = 256;
const BATCH = 8;
/** Batches between two looks. */
const EPOCH = 25;

/** One-hot symbols, and the id of each that follows. */
export function exampleOf({ symbols }: ReberString): Example {
  const ids = Int32Array.from(symbols, (symbol) => SYMBOLS.indexOf(symbol));
  const T = ids.length - 1;
  const x = new Float32Array(T * SYMBOLS.length);
  for (let t = 0; t < T; t++) x[t * SYMBOLS.length + ids[t]!] = 1;
  return { x: { shape: [T, SYMBOLS.length], data: x }, target: { shape: [T], data: ids.subarray(1) } };
}

/** An epoch is EPOCH batches of examples, each drawn from all of them. */
const drawnFrom = (examples: readonly Example[], seed: number): Data => ({
  size: EPOCH,
  batches(epoch, from) {
    const draw = draws(seed, epoch);
    const drawn = Array.from({ length: EPOCH * BATCH }, () => examples[below(draw, examples.length)]!);
    return batches(drawn, { batchSize: BATCH }).batches(0, from);
  },
});

/** How many strings are predicted. */
async function predicted(trainer: Trainer, strings: readonly ReberString[], data: Data): Promise<number> {
  let count = 0;
  for await (const batch of data.batches(0)) {
    const { output } = await trainer.evaluate(batch);
    const [, width = 0] = output.shape;
    strings.forEach((string, b) => {
      const score = (step: number, symbol: number) =>
        output.data[(step * width + b) * SYMBOLS.length + symbol]!;
      if (isPredicted(string, score)) count++;
    });
  }
  return count;
}

export const reber: Task = {
  about: `${STRINGS} strings to train on and ${STRINGS} to test; LSTM 32; Adam at 0.01 on batches of ${BATCH}; solved when all of both are predicted, looked at every ${EPOCH * BATCH} sequences, in fewer than ${FEWEST} of them; seeds 1–${SEEDS}`,

  async learn({ train }) {
    const counts: number[] = [];
    const epochs = Math.floor((FEWEST - 1) / (EPOCH * BATCH));
    for (let seed = 1; seed <= SEEDS; seed++) {
      const draw = draws(seed);
      const strings = Array.from({ length: 2 * STRINGS }, () => drawReber(draw));
      const trained = strings.slice(0, STRINGS).map(exampleOf);
      const all = batches(strings.map(exampleOf), { batchSize: strings.length });
      await train(
        `reber seed ${seed}`,
        {
          net: { input: SYMBOLS.length, cell: "lstm", hidden: 32, outputs: SYMBOLS.length, last: false },
          seed,
          loss: "crossEntropy",
          learningRate: 0.01,
          clip: 1,
          data: drawnFrom(trained, seed),
          epochs,
        },
        async () => undefined,
        async (trainer, epoch) => {
          if ((await predicted(trainer, strings, all)) < strings.length) return false;
          counts.push((epoch + 1) * EPOCH * BATCH);
          return true;
        },
      );
    }
    const most = Math.max(...counts);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    return {
      text: `solved ${counts.length}/${SEEDS} in at most ${most} training sequences, ${Math.round(mean)} on average`,
      value: counts.length,
    };
  },

  missed: (value) =>
    value >= SEEDS ? undefined : `${SEEDS} of ${SEEDS} seeds in fewer than ${FEWEST}, got ${value}`,
};
