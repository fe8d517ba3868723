// What the page and its worklet must agree on.
import type { WasmOptions } from "@recurra/backend-wasm";
import { lstm, recurrent, stack } from "@recurra/core";

/** Samples of a block; audio worklets have no other. */
export const BLOCK = 128;

export const voiced = {
  network: stack(recurrent(lstm, { inputSize: BLOCK, hiddenSize: BLOCK })),
  seed: 1,
};

export interface ProcessorOptions {
  readonly module: WasmOptions["module"];
  /** Let each step return an array of its own: what the measurement must be able to see. */
  readonly fresh: boolean;
}

/** Samples between −1 and 1 that don't repeat soon. */
export const sound = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 0.05) * Math.sin(i * 0.0007));
