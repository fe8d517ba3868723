// The adding problem. Hochreiter & Schmidhuber 1997, section 5.4, in the form of Le, Jaitly & Hinton 2015: at each of T steps a
// number from [0, 1) and a mark; two steps are marked, one in each half, and the sum of their numbers is wanted at the end. Who
// answers 1 always has a mean squared error of 1/6.
import type { Tensor } from "@recurra/core";
import { type Batch, type Data, validate } from "@recurra/train";
import { chrono } from "../initializers.ts";
import { below, draws } from "../random.ts";
import type { Task } from "../task.ts";

const LENGTHS = [60, 200];
const CELLS = ["lstm", "gru"] as const;
const BATCH = 32;
/** Steps between two looks. */
const EPOCH = 250;
const MOST_EPOCHS = 24;
const TARGET = 0.01;
/** Below this it stops: so far under the target that the test's draws don't matter. */
const ENOUGH = TARGET / 5;
const TESTED = 2000;

/** So many sequences, the same ones for the same seeds. */
export function addingBatch(
  T: number,
  batch: number,
  ...seeds: readonly number[]
): Batch & { target: Tensor } {
  const draw = draws(...seeds);
  const x = new Float32Array(T * batch * 2);
  const target = new Float32Array(batch);
  for (let b = 0; b < batch; b++) {
    const half = T >> 1;
    const marks = [below(draw, half), half + below(draw, T - half)];
    for (let t = 0; t < T; t++) {
      const value = Math.fround(draw());
      const marked = marks.includes(t);
      x.set([value, marked ? 1 : 0], (t * batch + b) * 2);
      if (marked) target[b]! += value;
    }
  }
  return { x: { shape: [T, batch, 2], data: x }, target: { shape: [batch, 1], data: target } };
}

/** New sequences at every step. */
export const addingData = (T: number, seed: number, size = EPOCH): Data => ({
  size,
  *batches(epoch, from = 0) {
    for (let k = from; k < size; k++) yield addingBatch(T, BATCH, seed, T, epoch, k);
  },
});

export const adding: Task = {
  about: `T = ${LENGTHS.join(" and ")}; LSTM and GRU 64, chrono initialisation; Adam, gradients clipped at 1; new sequences in batches of ${BATCH} until the error on others is below ${ENOUGH}, at most ${EPOCH * MOST_EPOCHS} steps; mean squared error on ${TESTED} more`,

  async learn({ train }) {
    const parts: string[] = [];
    let value = 0;
    for (const T of LENGTHS) {
      // Draws of their own: seeds that no batch of the training has.
      const set = (seed: number): Data => ({ size: 1, batches: () => [addingBatch(T, TESTED, seed, T)] });
      for (const cell of CELLS) {
        let steps = 0;
        const mse = await train(
          `adding T ${T} ${cell}`,
          {
            net: { input: 2, cell, hidden: 64, outputs: 1, last: true, initializers: chrono(cell, T) },
            seed: 1,
            loss: "meanSquared",
            learningRate: 2e-3,
            clip: 1,
            data: addingData(T, 1),
            epochs: MOST_EPOCHS,
          },
          async (trainer) => (await validate(trainer, set(3))).loss,
          async (trainer, epoch) => {
            steps = (epoch + 1) * EPOCH;
            return (await validate(trainer, set(2))).loss <= ENOUGH;
          },
        );
        parts.push(`${mse.toFixed(4)} (${cell} ${T}, ${steps} steps)`);
        // A NaN is no success.
        value = mse <= value ? value : mse;
      }
    }
    return { text: `mse ${parts.join(", ")}`, value };
  },

  missed: (value) => (value <= TARGET ? undefined : `mse at most ${TARGET} in all four, got ${value}`),
};
