// What the kill test kills: a run with everything that a checkpoint has to hold. It says each step, and last a checksum of what was learned.
import { createHash } from "node:crypto";
import { createModel, dense, dropout, gru, recurrent, stack } from "@recurra/core";
import { openCpu } from "@recurra/backend-cpu";
import { openWasm } from "@recurra/backend-wasm";
import {
  adam,
  batches,
  continuous,
  fit,
  meanSquared,
  plateau,
  type Data,
  type DataBatch,
  type Example,
} from "../../src/index.ts";
import { checkpointFile } from "../../src/node.ts";
import { derived } from "../../src/random.ts";

const [backend, path] = process.argv.slice(2) as [string, string];

const sequence = (i: number, length: number) => {
  const draw = derived(1, i);
  return {
    shape: [length, 1],
    data: Float32Array.from({ length }, (_, t) => Math.sin(t / (2 + (i % 5))) + 0.1 * draw()),
  };
};
const ragged = batches(
  Array.from({ length: 40 }, (_, i): Example => {
    const length = 1 + ((i * 7) % 40);
    return { x: sequence(i, length), target: sequence(i + 1, length) };
  }),
  { batchSize: 4, seed: 3 },
);
const long = continuous(sequence(0, 260), { batchSize: 4, length: 9 });
/** Ragged batches, and then tracks with the state carried on. */
const data: Data = {
  *batches(epoch, from = 0) {
    const all = [ragged, long].flatMap((part) => [...(part.batches(epoch) as Iterable<DataBatch>)]);
    yield* all.slice(from);
  },
};

const network = stack(
  recurrent(gru, { inputSize: 1, hiddenSize: 8, layers: 2, dropout: 0.2 }),
  dropout(0.1),
  dense({ inputSize: 8, outputSize: 1 }),
);
const model = createModel(network, backend === "wasm" ? await openWasm() : openCpu(), { seed: 2 });
const told = createHash("sha256");
console.log("ready");
for await (const event of fit(model, data, {
  loss: meanSquared(),
  optimizer: adam(),
  schedule: plateau({ learningRate: 0.02, patience: 0, factor: 0.5 }),
  clip: { norm: 0.5 },
  epochs: 3,
  validation: batches([{ x: sequence(50, 30), target: sequence(51, 30) }], { batchSize: 1 }),
  seed: 9,
  checkpoint: checkpointFile(path, { every: 1 }),
}))
  if (event.type === "step") console.log(`step ${event.step}`);
  else if (event.type === "end") told.update(JSON.stringify(event));
for (const [name, { data: values }] of Object.entries(model.parameters())) told.update(name).update(values);
console.log(`learned ${told.digest("hex")}`);
