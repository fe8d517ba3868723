// The networks whose streams mustn't allocate, each with a frame and the arrays that receive its outputs.
import * as core from "@recurra/core";
import {
  type Cell,
  concat,
  dense,
  embedding,
  type Frame,
  gru,
  lstm,
  lstmp,
  type Network,
  network,
  recurrent,
  slstm,
  stack,
} from "@recurra/core";

export interface Streamed {
  readonly network: Network;
  readonly batch: number;
  readonly frame: Frame;
  readonly into: Frame;
}

const inputSize = 10;
const hiddenSize = 20;
const outputSize = 5;
const vocabularySize = 7;
const ramp = (length: number) => Float32Array.from({ length }, (_, i) => i / length - 0.5);

const isCell = (value: unknown): value is Cell =>
  typeof value === "object" && value !== null && "apply" in value && "weights" in value;

/** Every cell that core exports, and those with options. */
const cells = [...Object.values(core).filter(isCell), lstmp({ projectionSize: hiddenSize }), slstm()];

export const streamed: Readonly<Record<string, () => Streamed>> = {
  /** The network of the example. */
  lstm: () => ({
    network: stack(recurrent(lstm, { inputSize, hiddenSize }), dense({ inputSize: hiddenSize, outputSize })),
    batch: 1,
    frame: ramp(inputSize),
    into: new Float32Array(outputSize),
  }),

  /** Inputs and outputs by name, ids among them, and several rows. */
  wired: () => ({
    network: network({ x: inputSize, id: 1 }, ({ x, id }) => {
      const known = embedding({ vocabularySize, outputSize })(id);
      const h = recurrent(gru, { inputSize: inputSize + outputSize, hiddenSize })(concat(x, known));
      return { h, y: dense({ inputSize: hiddenSize, outputSize })(h) };
    }),
    batch: 3,
    frame: { x: ramp(3 * inputSize), id: Float32Array.of(0, 6, 3) },
    into: { h: new Float32Array(3 * hiddenSize), y: new Float32Array(3 * outputSize) },
  }),

  /** Every cell, one after another. */
  cells: () => ({
    network: stack(...cells.map((cell) => recurrent(cell, { inputSize: hiddenSize, hiddenSize }))),
    batch: 1,
    frame: ramp(hiddenSize),
    into: new Float32Array(hiddenSize),
  }),
};
