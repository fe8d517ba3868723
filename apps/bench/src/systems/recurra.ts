// Our own backends, as a user of Recurra calls them.
import { adam, createTrainer, crossEntropy } from "@recurra/train";
import { createModel, gradientSync, type SyncBackend, type SyncModel } from "@recurra/core";
import { FRAMES, LEARNING_RATE } from "../data.ts";
import { firstLosses } from "../first-losses.ts";
import { networkOf } from "../network.ts";
import { Unable, type Job, type Prepared, type Results, type System } from "../system.ts";
import { rounds } from "../timing.ts";

export const recurra = (open: () => SyncBackend | Promise<SyncBackend>): System => ({
  async prepare(job) {
    const backend = await open();
    const int8 = job.variant === "int8";
    if (int8 && job.kind !== "forward") throw new Unable("int8 weights only infer");
    const model = createModel(networkOf(job.workload), backend, {
      parameters: job.data.parameters,
      ...(int8 && { weights: "int8" }),
    });
    const { accuracy } = model.engine.backend;
    if (job.kind === "train") return { ...(await train(model, job)), accuracy };
    const prepare = job.kind === "gradient" ? gradient : job.workload.step ? step : forward;
    return { ...prepare(model, job), accuracy };
  },
});

function forward(model: SyncModel, { workload, data }: Job): Prepared {
  const run = () => model.runSync(data.x);
  const trace = workload.fixture === undefined ? {} : model.runSync(data.x, { trace: true }).trace;
  const gates = Object.entries(trace).map(([name, { data }]) => [name, data] as const);
  return { results: { ...Object.fromEntries(gates), output: run().output.data }, round: rounds(run) };
}

function step(model: SyncModel, { workload, data }: Job): Prepared {
  const { I, H } = workload;
  const stream = model.stream();
  const frames = Array.from({ length: FRAMES }, (_, k) => data.x.data.subarray(k * I, (k + 1) * I));
  const into = new Float32Array(H);
  let frame = 0;
  const next = () => {
    stream.step(frames[frame]!, into);
    frame = (frame + 1) % FRAMES;
  };
  const output = new Float32Array(FRAMES * H);
  for (let k = 0; k < FRAMES; k++) {
    next();
    output.set(into, k * H);
  }
  return { results: { output }, round: rounds(next) };
}

function gradient(model: SyncModel, { data }: Job): Prepared {
  const run = () => gradientSync(model, data.x, { output: data.outputGradient });
  const { parameters, input } = run();
  const results: Results = {
    ...Object.fromEntries(Object.entries(parameters).map(([name, { data }]) => [name, data])),
    input: input!.data,
  };
  return { results, round: rounds(run) };
}

async function train(model: SyncModel, { data }: Job): Promise<Prepared> {
  const trainer = createTrainer(model, {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: LEARNING_RATE }),
  });
  const step = async () => (await trainer.step({ x: data.x, target: data.classes })).loss;
  return { results: await firstLosses(step), round: rounds(step) };
}
