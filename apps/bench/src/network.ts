// A workload as a network of Recurra's. Nothing here needs Node.
import { dense, last, lstm, type Network, recurrent, stack } from "@recurra/core";
import type { Workload } from "./workloads.ts";

/** One LSTM, and a dense layer on top where the workload has one: of all steps, or of the last alone. */
export function networkOf({ I, H, output, loss }: Workload): Network {
  const layer = recurrent(lstm, { inputSize: I, hiddenSize: H });
  if (output === undefined) return stack(layer);
  const top = dense({ inputSize: H, outputSize: output, name: "1" });
  return loss === "last" ? stack(layer, last, top) : stack(layer, top);
}
