// The peers `tfjs-cpu` and `tfjs-wasm`: TensorFlow.js's LSTM layer, on its two backends that need no GPU.
import type { Tensor } from "@recurra/core";
import { type Data, FRAMES, type Gate, LEARNING_RATE } from "../data.ts";
import { firstLosses } from "../first-losses.ts";
import { loadPeer } from "../peers.ts";
import type { Job, Prepared, System } from "../system.ts";
import { rounds } from "../timing.ts";
import { keras, oneHot, swapTimeAndBatch, unstackGates } from "./keras.ts";

interface TfTensor {
  dataSync(): Float32Array;
  mul(other: TfTensor): TfTensor;
  sum(): TfTensor;
  reshape(shape: readonly number[]): TfTensor;
  dispose(): void;
}
interface TfVariable extends TfTensor {
  readonly name: string;
  assign(value: TfTensor): void;
}
interface Tf {
  enableProdMode(): void;
  setBackend(name: string): Promise<boolean>;
  sequential(): Model;
  layers: { lstm(options: object): object; dense(options: object): object };
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  scalar(value: number): TfTensor;
  zeros(shape: readonly number[]): TfTensor;
  variable(initial: TfTensor): TfVariable;
  tidy<Result>(work: () => Result): Result;
  variableGrads(work: () => TfTensor): { value: TfTensor; grads: Record<string, TfTensor> };
  losses: { softmaxCrossEntropy(hits: TfTensor, logits: TfTensor): TfTensor };
  train: {
    adam(rate: number, beta1: number, beta2: number, epsilon: number): Optimizer;
  };
  basicLSTMCell(
    forgetBias: TfTensor,
    kernel: TfTensor,
    bias: TfTensor,
    x: TfTensor,
    c: TfTensor,
    h: TfTensor,
  ): [c: TfTensor, h: TfTensor];
}
interface Optimizer {
  minimize(loss: () => TfTensor, returnCost: true, variables: readonly TfVariable[]): TfTensor;
}
interface Model {
  add(layer: object): void;
  setWeights(weights: TfTensor[]): void;
  predict(x: TfTensor, options: { batchSize: number }): TfTensor;
  apply(x: TfTensor): TfTensor;
  trainableWeights: { val: TfVariable }[];
}
/** The order of the gates in the layer, and in the operator. */
const LAYER_GATES: readonly Gate[] = ["i", "f", "g", "o"];
const CELL_GATES: readonly Gate[] = ["i", "g", "f", "o"];

type TfPeer = "tfjs-cpu" | "tfjs-wasm";

async function load(peer: TfPeer): Promise<Tf> {
  const backend = peer === "tfjs-cpu" ? "cpu" : "wasm";
  const tf = await loadPeer<Tf>(peer, "@tensorflow/tfjs");
  tf.enableProdMode();
  if (backend === "wasm") await loadPeer(peer, "@tensorflow/tfjs-backend-wasm");
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} didn't start`);
  return tf;
}

function build(tf: Tf, { workload, data }: Job): Model {
  const { T, I, H, output, loss } = workload;
  const model = tf.sequential();
  model.add(
    // Keras's old default of the recurrent activation is hardSigmoid, which is another function.
    tf.layers.lstm({
      units: H,
      inputShape: [T, I],
      returnSequences: loss !== "last",
      recurrentActivation: "sigmoid",
      // Its default orthogonalises H × H numbers that are replaced at once.
      recurrentInitializer: "zeros",
    }),
  );
  if (output) model.add(tf.layers.dense({ units: output }));
  model.setWeights(kerasWeights(data).map(({ data, shape }) => tf.tensor(data, shape)));
  return model;
}

function kerasWeights(data: Data): Tensor[] {
  const { kernel, recurrentKernel, bias, dense } = keras(data.parameters, LAYER_GATES);
  return [kernel, recurrentKernel, bias, ...(dense ? [dense.kernel, dense.bias] : [])];
}

function forward(tf: Tf, job: Job): Prepared {
  const { T, B, I, H, output } = job.workload;
  const model = build(tf, job);
  const x = swapTimeAndBatch(job.data.x.data, T, B, I);
  // Without batchSize, predict would cut the batch into pieces of 32.
  const run = () => tidily(tf, () => model.predict(tf.tensor(x, [B, T, I]), { batchSize: B }).dataSync());
  return { results: { output: swapTimeAndBatch(run(), B, T, output ?? H) }, round: rounds(run) };
}

/** The raw operator is faster for one step than a stateful layer. */
function step(tf: Tf, job: Job): Prepared {
  const { I, H } = job.workload;
  const { weights, bias } = cellWeights(tf, job);
  const forgetBias = tf.scalar(0);
  let state = { c: tf.zeros([1, H]), h: tf.zeros([1, H]) };
  let frame = 0;
  const next = () => {
    const x = job.data.x.data.subarray(frame * I, (frame + 1) * I);
    const { c, h } = state;
    state = tf.tidy(() => {
      const [newC, newH] = tf.basicLSTMCell(forgetBias, weights, bias, tf.tensor(x, [1, I]), c, h);
      return { c: newC, h: newH };
    });
    c.dispose();
    h.dispose();
    frame = (frame + 1) % FRAMES;
    return state.h.dataSync();
  };
  const output = new Float32Array(FRAMES * H);
  for (let k = 0; k < FRAMES; k++) output.set(next(), k * H);
  return { results: { output }, round: rounds(next) };
}

/** The operator's weights, [I + H, 4H] for x and h together, and its bias. */
function cellWeights(tf: Tf, { workload, data }: Job) {
  const { I, H } = workload;
  const { kernel, recurrentKernel, bias } = keras(data.parameters, CELL_GATES);
  const both = new Float32Array(kernel.data.length + recurrentKernel.data.length);
  both.set(kernel.data);
  both.set(recurrentKernel.data, kernel.data.length);
  return { weights: tf.tensor(both, [I + H, 4 * H]), bias: tf.tensor(bias.data, bias.shape) };
}

function gradient(tf: Tf, job: Job): Prepared {
  const { T, B, I, H } = job.workload;
  const model = build(tf, job);
  const x = tf.variable(tf.zeros([B, T, I]));
  const variables = [...model.trainableWeights.map(({ val }) => val), x];
  const run = gradients(tf, job, variables, () => model.apply(x));
  const [kernel, recurrentKernel, bias, input] = run();
  const results = {
    ...unstackGates("W", kernel!, I, LAYER_GATES),
    ...unstackGates("U", recurrentKernel!, H, LAYER_GATES),
    ...unstackGates("b", bias!, 1, LAYER_GATES),
    input: swapTimeAndBatch(input!, B, T, I),
  };
  return { results, round: rounds(run) };
}

/** The layer's gradient fails for a sequence of one step, so here too it's the operator. */
function stepGradient(tf: Tf, job: Job): Prepared {
  const { I, H } = job.workload;
  const cell = cellWeights(tf, job);
  const weights = tf.variable(cell.weights);
  const bias = tf.variable(cell.bias);
  const x = tf.variable(tf.zeros([1, 1, I]));
  const forgetBias = tf.scalar(0);
  const run = gradients(tf, job, [weights, bias, x], () => {
    const state = tf.zeros([1, H]);
    const [, h] = tf.basicLSTMCell(forgetBias, weights, bias, x.reshape([1, I]), state, state);
    return h.reshape([1, 1, H]);
  });
  const [both, biasGradient, input] = run();
  const rows = I * 4 * H;
  const results = {
    ...unstackGates("W", both!.subarray(0, rows), I, CELL_GATES),
    ...unstackGates("U", both!.subarray(rows), H, CELL_GATES),
    ...unstackGates("b", biasGradient!, 1, CELL_GATES),
    input: input!,
  };
  return { results, round: rounds(run) };
}

/** A step of its own Adam on its own cross-entropy. */
async function train(tf: Tf, job: Job): Promise<Prepared> {
  const { T, B, I, H, output = H, loss } = job.workload;
  const model = build(tf, job);
  const variables = model.trainableWeights.map(({ val }) => val);
  const optimizer = tf.train.adam(LEARNING_RATE, 0.9, 0.999, 1e-8);
  const x = swapTimeAndBatch(job.data.x.data, T, B, I);
  const { classes } = job.data;
  const steps = loss === "last" ? 1 : T;
  const hits = swapTimeAndBatch(oneHot(classes.data, output), steps, B, output);
  const step = () =>
    tidily(tf, () => {
      const inputs = tf.tensor(x, [B, T, I]);
      const wanted = tf.tensor(hits, [B * steps, output]);
      const cost = () =>
        tf.losses.softmaxCrossEntropy(wanted, model.apply(inputs).reshape([B * steps, output]));
      return optimizer.minimize(cost, true, variables).dataSync()[0]!;
    });
  return { results: await firstLosses(step), round: rounds(step) };
}

/** A call that computes the gradients of the variables; the last of them is x, so that its gradient comes with the others'. */
function gradients(
  tf: Tf,
  job: Job,
  variables: readonly TfVariable[],
  output: () => TfTensor,
): () => Float32Array[] {
  const { T, B, I, H } = job.workload;
  const data = swapTimeAndBatch(job.data.x.data, T, B, I);
  const outputGradient = swapTimeAndBatch(job.data.outputGradient.data, T, B, H);
  return () =>
    tidily(tf, () => {
      variables.at(-1)!.assign(tf.tensor(data, [B, T, I]));
      const { grads } = tf.variableGrads(() =>
        output()
          .mul(tf.tensor(outputGradient, [B, T, H]))
          .sum(),
      );
      return variables.map(({ name }) => grads[name]!.dataSync());
    });
}

/** `tidy`, which would search what it returns for tensors, every number of it. */
function tidily<Result>(tf: Tf, work: () => Result): Result {
  let result: Result;
  tf.tidy(() => {
    result = work();
  });
  return result!;
}

const system = (peer: TfPeer): System => ({
  async prepare(job) {
    const tf = await load(peer);
    const { step: isStep } = job.workload;
    if (job.kind === "train") return train(tf, job);
    if (job.kind === "gradient") return isStep ? stepGradient(tf, job) : gradient(tf, job);
    return isStep ? step(tf, job) : forward(tf, job);
  },
});

export const tfjsCpu = system("tfjs-cpu");
export const tfjsWasm = system("tfjs-wasm");
