// A workload as a network of Recurra's. Nothing here needs Node.
import { dense, lstm, type Network, recurrent, stack } from "@recurra/core";
import type { Workload } from "./workloads.ts";

/** One LSTM, and a dense layer on top where the workload has one. */
export function networkOf({ I, H, output }: Workload): Network {
  const layer = recurrent(lstm, { inputSize: I, hiddenSize: H });
  return output === undefined ? stack(layer) : stack(layer, dense({ inputSize: H, outputSize: output }));
}
