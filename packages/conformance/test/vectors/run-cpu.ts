/** Runs a network of one output as a model on the CPU backend, time-major or batch-first. */
import { createModel, type Tensor } from "@recurra/core";
import { openCpu } from "@recurra/backend-cpu";
import type { Run, RunResult, Runner } from "./call.ts";

const tensor = (shape: readonly number[], data: readonly number[]): Tensor => ({
  shape,
  data: Float32Array.from(data),
});

function runModel({ network, parameters, x, state, lengths }: Run, batchFirst: boolean): RunResult {
  const [T, B, I] = x.shape as [number, number, number];
  const shapes = network.build().parameters;
  const model = createModel(network, openCpu(), {
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, data]) => [
        name,
        tensor(shapes.get(name)?.shape ?? [data.length], data),
      ]),
    ),
  });
  const result = model.runSync(
    tensor(batchFirst ? [B, T, I] : [T, B, I], batchFirst ? swap(x.data, T, B) : x.data),
    {
      state: Object.fromEntries(
        Object.entries(state).map(([name, data]) => [name, tensor([B, data.length / B], data)]),
      ),
      batchFirst,
      ...(lengths && { lengths }),
    },
  );
  model.dispose();
  return {
    output: batchFirst ? swap([...result.output.data], B, T) : result.output.data,
    state: Object.fromEntries(Object.entries(result.state).map(([name, { data }]) => [name, data])),
  };
}

export const runCpu: Runner = (run) => runModel(run, false);
export const runCpuBatchFirst: Runner = (run) => runModel(run, true);

/** [a, b, …] → [b, a, …] */
function swap(data: readonly number[], a: number, b: number): number[] {
  const width = data.length / (a * b);
  return Array.from({ length: b * a }, (_, i) => {
    const [row, column] = [Math.floor(i / a), i % a];
    return data.slice((column * b + row) * width, (column * b + row + 1) * width);
  }).flat();
}
