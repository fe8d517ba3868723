// Recurra as an engine of experiments.
import { type Backend, createModel } from "@recurra/core";
import { adam, createTrainer, crossEntropy, meanSquared } from "@recurra/train";
import type { Engine } from "./experiment.ts";
import { networkOf } from "./net.ts";

const losses = { meanSquared, crossEntropy };

export const recurra = (backend: Backend): Engine => ({
  name: backend.name,
  async open({ net, seed, loss, learningRate, clip }) {
    const model = createModel(networkOf(net), backend, { seed });
    const trainer = createTrainer(model, {
      loss: losses[loss](),
      optimizer: adam({ learningRate }),
      clip: { norm: clip },
    });
    return {
      ...trainer,
      dispose() {
        trainer.dispose();
        model.dispose();
      },
    };
  },
  dispose: () => backend.dispose(),
});
