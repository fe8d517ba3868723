// A small training, the same on a page's own thread and in a worker.
import { openWasm } from "@recurra/backend-wasm";
import { createModel, dense, lstm, recurrent, stack } from "@recurra/core";
import { adam, batches, fit, meanSquared, windows } from "@recurra/train";

export interface Trained {
  /** By epoch. */
  readonly losses: readonly number[];
  readonly steps: number;
  /** All that was learned, one after another. */
  readonly parameters: readonly number[];
}

export async function train(): Promise<Trained> {
  const wave = { shape: [200, 1], data: Float32Array.from({ length: 200 }, (_, t) => Math.sin(t / 4)) };
  const network = stack(
    recurrent(lstm, { inputSize: 1, hiddenSize: 16 }),
    dense({ inputSize: 16, outputSize: 1 }),
  );
  const model = createModel(network, await openWasm(), { seed: 1 });
  const data = batches(windows(wave, { length: 20, target: "all" }), { batchSize: 8, seed: 1 });
  const losses: number[] = [];
  let steps = 0;
  for await (const event of fit(model, data, {
    loss: meanSquared(),
    optimizer: adam({ learningRate: 0.01 }),
    epochs: 3,
  })) {
    if (event.type === "step") steps++;
    if (event.type === "epoch") losses.push(event.loss);
  }
  const parameters = Object.values(model.parameters()).flatMap(({ data }) => [...data]);
  return { losses, steps, parameters };
}
