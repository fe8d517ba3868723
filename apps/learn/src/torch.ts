// PyTorch as an engine of experiments: torch/trainer.py in a process of its own, from the same initial parameters, on the same
// batches.
import { spawn } from "node:child_process";
import { type Backend, createModel, type IdTensor, type Tensor } from "@recurra/core";
import type { Batch, Trainer } from "@recurra/train";
import type { Engine, Experiment } from "./experiment.ts";
import { networkOf } from "./net.ts";
import { torchScript } from "./paths.ts";
import { Pipe } from "./pipe.ts";

/** @param backend where the initial parameters are drawn, and where the model is that is given what PyTorch has learned */
export const torch = (python: string, backend: Backend): Engine => ({
  name: "torch",
  open: (experiment) => open(python, backend, experiment),
  dispose: () => backend.dispose(),
});

async function open(python: string, backend: Backend, experiment: Experiment): Promise<Trainer> {
  const { net, seed, loss, learningRate, clip } = experiment;
  const model = createModel(networkOf(net), backend, { seed });
  // No __pycache__ beside the script.
  const child = spawn(python, ["-B", torchScript], { stdio: ["pipe", "pipe", "inherit"] });
  const pipe = new Pipe(child.stdin, child.stdout);
  const { input, cell, hidden, outputs, last } = net;
  await pipe.ask(
    { op: "open", net: { input, cell, hidden, outputs, last }, loss, learningRate, clip },
    model.parameters(),
  );
  let step = 0;

  return {
    model,
    async step(batch, options = {}) {
      const rate = options.learningRate ?? learningRate;
      const { message, tensors } = await pipe.ask({ op: "step", learningRate: rate }, tensorsOf(batch));
      return { ...evaluation(message, tensors), step: ++step, learningRate: rate };
    },
    async evaluate(batch) {
      const { message, tensors } = await pipe.ask({ op: "evaluate" }, tensorsOf(batch));
      return evaluation(message, tensors);
    },
    async state() {
      const { tensors } = await pipe.ask({ op: "state" }, {});
      model.setParameters(tensors);
      return { step, parameters: tensors, optimizer: "torch", moments: {} };
    },
    restore({ parameters }) {
      // Questions are answered in turn: what comes next finds them in place.
      void pipe.ask({ op: "restore" }, parameters);
    },
    explain: () => "PyTorch's own kernels",
    dispose() {
      child.kill();
      model.dispose();
    },
  };
}

function evaluation(message: Readonly<Record<string, unknown>>, tensors: Readonly<Record<string, Tensor>>) {
  return {
    loss: Number(message.loss),
    weight: Number(message.weight),
    state: {},
    output: tensors.output as Tensor,
  };
}

/** A batch for PyTorch, which knows no lengths: it ignores targets of −100. */
function tensorsOf({ x, target, lengths }: Batch): Record<string, Tensor | IdTensor> {
  if (!isTensor(x)) throw new Error("torch: expected a single input");
  if (!lengths) return { x, target };
  const [, batch = 0] = target.shape;
  const data = Int32Array.from(target.data, (id, row) =>
    Math.floor(row / batch) < (lengths[row % batch] ?? 0) ? id : -100,
  );
  return { x, target: { shape: target.shape, data } };
}

const isTensor = (x: Batch["x"]): x is Tensor | IdTensor => Array.isArray(x.shape);
