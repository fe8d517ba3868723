// An LSTM in an audio worklet: each block of 128 samples is a frame. A worklet has neither fetch nor TextDecoder, so a module that
// was made ahead of time comes with the processor's options; without one it is compiled here.
import { openWasm } from "@recurra/backend-wasm";
import { createModel, type SyncStream } from "@recurra/core";
import { type ProcessorOptions, voiced } from "./voiced.ts";

interface Port {
  postMessage(message: string): void;
}
/** The little of a worklet's scope that's used here. */
const scope = globalThis as unknown as {
  readonly AudioWorkletProcessor: new () => { readonly port: Port };
  registerProcessor(name: string, processor: new (options: never) => object): void;
};

class LstmProcessor extends scope.AudioWorkletProcessor {
  #stream: SyncStream | undefined;
  readonly #fresh: boolean;

  constructor({ processorOptions: { module, fresh } }: { readonly processorOptions: ProcessorOptions }) {
    super();
    this.#fresh = fresh;
    void this.#open(module);
  }

  async #open(module: ProcessorOptions["module"]): Promise<void> {
    try {
      const backend = await openWasm(module === undefined ? {} : { module });
      this.#stream = createModel(voiced.network, backend, { seed: voiced.seed }).stream();
      this.port.postMessage("ready");
    } catch (error) {
      this.port.postMessage(String(error));
    }
  }

  process(
    inputs: readonly (readonly Float32Array[])[],
    outputs: readonly (readonly Float32Array[])[],
  ): boolean {
    const frame = inputs[0]![0];
    const into = outputs[0]![0]!;
    if (this.#stream && frame) {
      if (this.#fresh) into.set(this.#stream.step(frame) as Float32Array);
      else this.#stream.step(frame, into);
    }
    return true;
  }
}

scope.registerProcessor("lstm", LstmProcessor);
