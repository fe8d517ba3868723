// The peer `brain`: brain.js's LSTM. It computes another function (the forget gate multiplies the previous output, and no
// cell state is carried), so its results aren't checked: it shows a speed, with weights of its own.
import { loadPeer } from "../peers.ts";
import type { Prepared, System } from "../system.ts";
import { rounds } from "../timing.ts";

type Sequence = Float32Array[];
interface Network {
  train(data: { input: Sequence; output: Sequence }[], options: { iterations: number }): void;
  run(sequence: Sequence): Float32Array;
}
interface Brain {
  recurrent: {
    LSTMTimeStep: new (options: { inputSize: number; hiddenLayers: number[]; outputSize: number }) => Network;
  };
}

export const brain: System = {
  async prepare({ workload, data }): Promise<Prepared> {
    const { T, B, I, H } = workload;
    const { recurrent } = await loadPeer<Brain>("brain", "brain.js");
    // It always has an output layer: the smallest, where the workload has none.
    const outputSize = workload.output ?? 1;
    const network = new recurrent.LSTMTimeStep({ inputSize: I, hiddenLayers: [H], outputSize });
    const sequences = Array.from({ length: B }, (_, row) =>
      Array.from({ length: T }, (_, t) => data.x.data.slice((t * B + row) * I, (t * B + row + 1) * I)),
    );
    // A network that was never trained refuses to run.
    network.train([{ input: sequences[0]!, output: [new Float32Array(outputSize)] }], { iterations: 1 });
    // It has no batches.
    const run = () => sequences.map((sequence) => network.run(sequence));
    return { results: {}, round: rounds(run) };
  },
};
