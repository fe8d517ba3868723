// Keras's way to keep an LSTM, which TensorFlow.js shares: [in, 4H] matrices, batch before time.
import type { Tensor } from "@recurra/core";
import type { Gate } from "../data.ts";

interface KerasWeights {
  /** [I, 4H], [H, 4H] and [4H], the gates side by side. */
  readonly kernel: Tensor;
  readonly recurrentKernel: Tensor;
  readonly bias: Tensor;
  /** [H, O] and [O]. */
  readonly dense?: { readonly kernel: Tensor; readonly bias: Tensor };
}

/** Recurra's parameters in Keras's layout, with the gates in the order given. */
export function keras(parameters: Readonly<Record<string, Tensor>>, gates: readonly Gate[]): KerasWeights {
  const stack = (name: string) => stackGates(gates.map((gate) => parameters[`0.${name}.${gate}`]!));
  const W = parameters["1.W"];
  const b = parameters["1.b"];
  const bias = stack("b");
  return {
    kernel: stack("W"),
    recurrentKernel: stack("U"),
    bias: { shape: [bias.data.length], data: bias.data },
    ...(W && b && { dense: { kernel: stackGates([W]), bias: b } }),
  };
}

/** [H, in] for each gate → [in, gates · H]. */
function stackGates(matrices: readonly Tensor[]): Tensor {
  const [H = 0, inputs = 1] = matrices[0]!.shape;
  const columns = matrices.length * H;
  const data = new Float32Array(inputs * columns);
  matrices.forEach((matrix, gate) => {
    for (let unit = 0; unit < H; unit++) {
      for (let k = 0; k < inputs; k++) data[k * columns + gate * H + unit] = matrix.data[unit * inputs + k]!;
    }
  });
  return { shape: [inputs, columns], data };
}

/** The reverse, for gradients: [in, 4H] with the gates in the order given → "0.NAME.i" [H, in] … */
export function unstackGates(
  name: string,
  data: Float32Array,
  inputs: number,
  gates: readonly Gate[],
): Record<string, Float32Array> {
  const columns = data.length / inputs;
  const H = columns / gates.length;
  const entries = gates.map((gate, index) => {
    const matrix = new Float32Array(H * inputs);
    for (let unit = 0; unit < H; unit++) {
      for (let k = 0; k < inputs; k++) matrix[unit * inputs + k] = data[k * columns + index * H + unit]!;
    }
    return [`0.${name}.${gate}`, matrix] as const;
  });
  return Object.fromEntries(entries);
}

/** Classes as rows of 0 and a single 1. */
export function oneHot(classes: Int32Array, width: number): Float32Array {
  const rows = new Float32Array(classes.length * width);
  classes.forEach((wanted, row) => (rows[row * width + wanted] = 1));
  return rows;
}

/** [first, second, features] → [second, first, features]. */
export function swapTimeAndBatch(
  data: Float32Array,
  first: number,
  second: number,
  features: number,
): Float32Array {
  const result = new Float32Array(data.length);
  for (let a = 0; a < first; a++) {
    for (let b = 0; b < second; b++) {
      const from = (a * second + b) * features;
      result.set(data.subarray(from, from + features), (b * first + a) * features);
    }
  }
  return result;
}
