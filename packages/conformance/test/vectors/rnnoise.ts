/** RNNoise (Valin 2018), the network that removes noise from speech: a dense layer and three GRUs, wired with concats. */
import {
  concat,
  dense,
  network,
  recurrent,
  relu,
  sigmoid,
  tanh,
  type Layer,
  type Tensor,
} from "@recurra/core";
import { operatorCell } from "./operators.ts";

/** Its GRUs reset before the product and have relu for their candidate. */
const gru = operatorCell.GRU({ activations: [sigmoid, relu] });
const gruLayer = (name: string, inputSize: number, hiddenSize: number): Layer =>
  recurrent(gru, { inputSize, hiddenSize, name });
const denseLayer = (name: string, inputSize: number, outputSize: number): Layer =>
  dense({ inputSize, outputSize, name });

export const rnnoise = network({ x: 42 }, ({ x }) => {
  const e = tanh(denseLayer("input_dense", 42, 24)(x));
  const v = gruLayer("vad_gru", 24, 24)(e);
  const n = gruLayer("noise_gru", 24 + 24 + 42, 48)(concat(e, v, x));
  const d = gruLayer("denoise_gru", 24 + 48 + 42, 96)(concat(v, n, x));
  return {
    gains: sigmoid(denseLayer("denoise_output", 96, 22)(d)),
    vad: sigmoid(denseLayer("vad_output", 24, 1)(v)),
  };
});

/** Its parameters from Keras's: kernels are [in, out], the gates z, r and n side by side. */
export function rnnoiseParameters(weights: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const parameters: Record<string, Tensor> = {};
  const gates = ["z", "r", "n"];
  for (const [key, tensor] of Object.entries(weights)) {
    const [layer, kind] = key.split("/") as [string, keyof typeof groups];
    const group = groups[kind];
    const own = layer.endsWith("_gru")
      ? gates.map((gate) => `${layer}.${group}.${gate}`)
      : [`${layer}.${group}`];
    own.forEach((name, k) => (parameters[name] = columns(tensor, k, own.length)));
    // One bias is all that they have.
    if (group === "b" && own.length > 1)
      gates.forEach((gate, k) => {
        const { shape, data } = parameters[own[k]!]!;
        parameters[`${layer}.d.${gate}`] = { shape, data: new Float32Array(data.length) };
      });
  }
  return parameters;
}

const groups = { kernel: "W", recurrent_kernel: "U", bias: "b" } as const;

/** The k-th of `count` equal parts of the last axis; of a matrix its transpose. */
function columns({ shape, data }: Tensor, k: number, count: number): Tensor {
  const all = shape[shape.length - 1]!;
  const rows = data.length / all;
  const width = all / count;
  const out = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++)
    for (let j = 0; j < width; j++) out[j * rows + r] = data[r * all + k * width + j]!;
  return { shape: shape.length === 1 ? [width] : [width, rows], data: out };
}
