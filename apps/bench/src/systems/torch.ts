// The peer `torch`: PyTorch's LSTM and Adam, in a Python process of its own, one thread.
import { join } from "node:path";
import { LEARNING_RATE, TRAINED_STEPS } from "../data.ts";
import { benchFolder } from "../paths.ts";
import { encode, python } from "../python.ts";
import type { Job, Prepared, System } from "../system.ts";
import type { Round } from "../timing.ts";

export const torch: System = {
  async prepare(job): Promise<Prepared> {
    const ask = await python("torch", join(benchFolder, "fixtures", "torch_peer.py"));
    const { losses } = await ask<{ losses: readonly number[] }>(request(job));
    return { results: { loss: Float32Array.from(losses) }, round: (ms) => ask<Round>(ms) };
  },
};

function request({ workload, data }: Job) {
  const { I, H, output = H, loss } = workload;
  const { shape, data: ids } = data.classes;
  const tensors = Object.entries(data.parameters).map(
    ([name, { shape, data }]) => [name, { shape, data: encode([data]) }] as const,
  );
  return {
    inputSize: I,
    hiddenSize: H,
    outputSize: output,
    last: loss === "last",
    steps: TRAINED_STEPS,
    learningRate: LEARNING_RATE,
    parameters: Object.fromEntries(tensors),
    x: { shape: data.x.shape, data: encode([data.x.data]) },
    classes: { shape, data: encode([BigInt64Array.from(ids, (id) => BigInt(id))]) },
  };
}
