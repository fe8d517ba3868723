// What every system is given: the same seeded parameters and inputs, or a fixture's. Nothing here needs Node.
import type { Tensor } from "@recurra/core";
import { uniformFloat32 } from "pure-rand/distribution/uniformFloat32";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { fromNumpyClass, type Fixture } from "./numpy-class.ts";
import type { Kind, Workload } from "./workloads.ts";

/** Recurra's order of an LSTM's gates. */
export const GATES = ["i", "f", "g", "o"] as const;

export type Gate = (typeof GATES)[number];

export interface Data {
  /** Named as in a model of one LSTM (layer 0) and, where the workload has one, a dense layer (1). */
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** [T, B, I]; for the steps of a stream its frames, [FRAMES, 1, I]. */
  readonly x: Tensor;
  /** dL/dOutput, [T, B, H]: zero outside the checked rows, so that these alone make the parameters' gradients. */
  readonly outputGradient: Tensor;
  /** Of training: the class of each row of the output, [B], or [T, B] where all steps have a loss. */
  readonly classes: { readonly shape: readonly number[]; readonly data: Int32Array };
}

/** Frames that a stream's steps go through, again and again; the check is on the first FRAMES steps. */
export const FRAMES = 8;

/** Training's first losses are checked: so many steps of Adam at this rate. */
export const TRAINED_STEPS = 3;
export const LEARNING_RATE = 1e-3;

/** The data of a workload; `fixture` is the parsed file that `workload.fixture` names. */
export function makeData(workload: Workload, kind: Kind, fixture?: Fixture): Data {
  const { T, B, I, H, output, loss, step, checkedRows } = workload;
  const random = uniform(`recurra ${workload.name}`);
  if (fixture) {
    const { parameters, x } = fromNumpyClass(fixture);
    return { parameters, x, outputGradient: tensor([T, B, output ?? H], () => 0), classes: NO_CLASSES };
  }
  // PyTorch's uniform initialisation, biases included.
  const weight = () => random() / Math.sqrt(H);
  const parameters: Record<string, Tensor> = {};
  for (const gate of GATES) {
    parameters[`0.W.${gate}`] = tensor([H, I], weight);
    parameters[`0.U.${gate}`] = tensor([H, H], weight);
    parameters[`0.b.${gate}`] = tensor([H], weight);
  }
  if (output !== undefined) {
    parameters["1.W"] = tensor([output, H], weight);
    parameters["1.b"] = tensor([output], weight);
  }
  const x = tensor([step && kind === "forward" ? FRAMES : T, B, I], random);
  const outputGradient = tensor([T, B, H], (index) => {
    const value = random();
    return checkedRows && !checkedRows.includes(Math.floor(index / H) % B) ? 0 : value;
  });
  if (loss === undefined) return { parameters, x, outputGradient, classes: NO_CLASSES };
  const shape = loss === "last" ? [B] : [T, B];
  const { data } = tensor(shape, random);
  const classes = { shape, data: Int32Array.from(data, (value) => ((value + 1) / 2) * (output ?? H)) };
  return { parameters, x, outputGradient, classes };
}

const NO_CLASSES: Data["classes"] = { shape: [0], data: new Int32Array() };

function tensor(shape: number[], value: (index: number) => number): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let index = 0; index < data.length; index++) data[index] = value(index);
  return { shape, data };
}

/** Numbers in [-1, 1), the same for the same seed. */
function uniform(seed: string): () => number {
  let hash = 0;
  for (const letter of seed) hash = (hash * 31 + letter.charCodeAt(0)) | 0;
  const generator = xoroshiro128plus(hash);
  return () => 2 * uniformFloat32(generator) - 1;
}
