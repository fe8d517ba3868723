// Our own backends, as a user of Recurra calls them: at once where they can, else awaited.
import { adam, createTrainer, crossEntropy } from "@recurra/train";
import {
  type AsyncModel,
  type Backend,
  createModel,
  gradient as gradientOf,
  gradientSync,
  type SyncModel,
} from "@recurra/core";
import { FRAMES, LEARNING_RATE } from "../data.ts";
import { firstLosses } from "../first-losses.ts";
import { networkOf } from "../network.ts";
import { Unable, type Job, type Prepared, type Results, type System } from "../system.ts";
import { rounds } from "../timing.ts";

type AnyModel = SyncModel | AsyncModel;

const isSync = (model: AnyModel): model is SyncModel => "runSync" in model;

export const recurra = (open: () => Backend | Promise<Backend>): System => ({
  async prepare(job) {
    const backend = await open();
    const int8 = job.variant === "int8";
    if (int8 && job.kind !== "forward") throw new Unable("int8 weights only infer");
    const model: AnyModel = createModel(networkOf(job.workload), backend, {
      parameters: job.data.parameters,
      ...(int8 && { weights: "int8" }),
    });
    const { accuracy } = model.engine.backend;
    if (job.kind === "train") return { ...(await train(model, job)), accuracy };
    const prepare = job.kind === "gradient" ? gradient : job.workload.step ? step : forward;
    return { ...(await prepare(model, job)), accuracy };
  },
});

async function forward(model: AnyModel, { workload, data }: Job): Promise<Prepared> {
  const { x } = data;
  const run = isSync(model) ? () => model.runSync(x) : () => model.run(x);
  const trace = workload.fixture === undefined ? {} : (await model.run(x, { trace: true })).trace;
  const gates = Object.entries(trace).map(([name, { data }]) => [name, data] as const);
  const { output } = await run();
  return { results: { ...Object.fromEntries(gates), output: output.data }, round: rounds(run) };
}

async function step(model: AnyModel, { workload, data }: Job): Promise<Prepared> {
  const { I, H } = workload;
  const stream = model.stream();
  const frames = Array.from({ length: FRAMES }, (_, k) => data.x.data.subarray(k * I, (k + 1) * I));
  const into = new Float32Array(H);
  let frame = 0;
  const next = () => {
    const stepped = stream.step(frames[frame]!, into);
    frame = (frame + 1) % FRAMES;
    return stepped;
  };
  const output = new Float32Array(FRAMES * H);
  for (let k = 0; k < FRAMES; k++) {
    await next();
    output.set(into, k * H);
  }
  return { results: { output }, round: rounds(next) };
}

async function gradient(model: AnyModel, { data }: Job): Promise<Prepared> {
  const loss = { output: data.outputGradient };
  const run = isSync(model) ? () => gradientSync(model, data.x, loss) : () => gradientOf(model, data.x, loss);
  const { parameters, input } = await run();
  const results: Results = {
    ...Object.fromEntries(Object.entries(parameters).map(([name, { data }]) => [name, data])),
    input: input!.data,
  };
  return { results, round: rounds(run) };
}

async function train(model: AnyModel, { data }: Job): Promise<Prepared> {
  const trainer = createTrainer(model, {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: LEARNING_RATE }),
  });
  const step = async () => (await trainer.step({ x: data.x, target: data.classes })).loss;
  return { results: await firstLosses(step), round: rounds(step) };
}
