/** A trainer in plain loops: mean squared error and SGD with momentum, on gradients of the model. What the loop is tested with. */
import { gradient, RecurraError, type Model, type Tensor } from "@recurra/core";
import type { Batch, Step, Trainer, TrainerState } from "../../src/types.ts";

type Tensors = Record<string, Tensor>;

export function plainTrainer(model: Model, { learningRate = 0.1, momentum = 0.9, seed = 0 } = {}): Trainer {
  let step = 0;
  let moments: Tensors = {};

  const measure = (output: Tensor, { target, lengths }: Batch) => {
    if (output.shape.join() !== target.shape.join())
      throw new RecurraError(
        "SHAPE_MISMATCH",
        `target: expected [${output.shape.join()}], got [${target.shape.join()}]`,
      );
    const [width, batch] = [output.shape.at(-1) as number, output.shape.at(-2) as number];
    const counts = (i: number): boolean =>
      !lengths ||
      output.shape.length < 3 ||
      Math.floor(i / width / batch) < (lengths[Math.floor(i / width) % batch] as number);
    const error = output.data.map((y, i) => (counts(i) ? y - (target.data[i] as number) : 0));
    const weight = output.data.filter((_, i) => counts(i)).length;
    const loss = weight === 0 ? 0 : error.reduce((sum, e) => sum + e * e, 0) / weight;
    return {
      loss,
      weight,
      seeds: { shape: output.shape, data: error.map((e) => (weight === 0 ? 0 : (2 * e) / weight)) },
    };
  };
  const options = ({ state, lengths }: Batch) => ({ ...(state && { state }), ...(lengths && { lengths }) });

  return {
    model,
    async step(batch, given = {}): Promise<Step> {
      const dropoutSeed = seed + step;
      const forward = await gradient(model, batch.x, {}, { ...options(batch), dropoutSeed });
      const { loss, weight, seeds } = measure(forward.output, batch);
      const { parameters, output, state } = await gradient(
        model,
        batch.x,
        { output: seeds },
        { ...options(batch), dropoutSeed },
      );
      const rate = given.learningRate ?? learningRate;
      const old = model.parameters();
      const now: Tensors = {};
      for (const [name, { shape, data }] of Object.entries(parameters)) {
        const moment = data.map((g, i) => momentum * (moments[name]?.data[i] ?? 0) + g);
        moments = { ...moments, [name]: { shape, data: moment } };
        now[name] = { shape, data: moment.map((m, i) => (old[name]?.data[i] as number) - rate * m) };
      }
      model.setParameters(now);
      step++;
      return { loss, weight, state, output, step, learningRate: rate };
    },
    async evaluate(batch) {
      const { output, state } = await model.run(batch.x, options(batch));
      const { loss, weight } = measure(output, batch);
      return { loss, weight, output, state };
    },
    state: async (): Promise<TrainerState> => ({
      step,
      parameters: model.parameters(),
      moments: { ...moments },
    }),
    restore(state) {
      step = state.step;
      moments = { ...state.moments };
      model.setParameters(state.parameters);
    },
    dispose() {},
  };
}
