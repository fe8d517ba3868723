// A page that renders audio through the LSTM in a worklet, as fast as it goes. It stops once on the way, when everything is warm, so
// that whoever has opened it can begin to measure; at the end it compares with the same steps on its own thread.
import { openWasm, type WasmOptions } from "@recurra/backend-wasm";
import { createModel } from "@recurra/core";
import { addressOf } from "../kit/address.ts";
import { BLOCK, sound, voiced, type ProcessorOptions } from "./voiced.ts";

interface AudioNode {
  connect(to: AudioNode): AudioNode;
}
interface Channels {
  getChannelData(channel: number): Float32Array;
}
interface Source extends AudioNode {
  buffer: Channels;
  start(): void;
}
interface Context {
  readonly destination: AudioNode;
  readonly audioWorklet: { addModule(url: URL): Promise<void> };
  createBuffer(channels: number, length: number, rate: number): Channels;
  createBufferSource(): Source;
  suspend(seconds: number): Promise<void>;
  resume(): Promise<void>;
  startRendering(): Promise<Channels>;
}
interface Node extends AudioNode {
  readonly port: { onmessage: (event: { readonly data: string }) => void };
  onprocessorerror: () => void;
}
/** The little of a page that's used here; see kit/page.ts. */
const page = globalThis as unknown as {
  readonly OfflineAudioContext: new (channels: number, length: number, rate: number) => Context;
  readonly AudioWorkletNode: new (
    context: Context,
    name: string,
    options: { processorOptions: ProcessorOptions },
  ) => Node;
  readonly WebAssembly: { compile(bytes: ArrayBuffer): Promise<object> };
  rendering: Rendering;
};

/** What the page answers. */
export interface Rendering {
  /** Renders the first seconds. */
  warm(way: { prebuilt: boolean; fresh: boolean; warmSeconds: number; seconds: number }): Promise<void>;
  /** Renders the others. @returns how many blocks came out with other bits than on the page's own thread, and whether all are silent */
  finish(): Promise<{ readonly different: number; readonly silent: boolean; readonly blocks: number }>;
}

const RATE = 48_000;
let finish: Rendering["finish"];

page.rendering = {
  async warm({ prebuilt, fresh, warmSeconds, seconds }) {
    const blocks = Math.floor(((warmSeconds + seconds) * RATE) / BLOCK);
    const samples = sound(blocks * BLOCK);
    const context = new page.OfflineAudioContext(1, samples.length, RATE);
    await context.audioWorklet.addModule(new URL("processor.js", import.meta.url));
    const module = prebuilt ? await compiled() : undefined;
    const node = new page.AudioWorkletNode(context, "lstm", { processorOptions: { module, fresh } });
    await new Promise<void>((resolve, reject) => {
      node.onprocessorerror = () => reject(new Error("the processor threw"));
      node.port.onmessage = ({ data }) => (data === "ready" ? resolve() : reject(new Error(data)));
    });
    const source = context.createBufferSource();
    source.buffer = context.createBuffer(1, samples.length, RATE);
    source.buffer.getChannelData(0).set(samples);
    source.connect(node).connect(context.destination);
    source.start();

    const warmed = context.suspend((Math.floor((warmSeconds * RATE) / BLOCK) * BLOCK) / RATE);
    const rendered = context.startRendering();
    finish = async () => {
      await context.resume();
      const heard = (await rendered).getChannelData(0);
      return compare(heard, samples, module && { module });
    };
    await warmed;
  },
  finish: () => finish(),
};

async function compiled(): Promise<object> {
  const response = await fetch((await addressOf("prebuilt")) as URL);
  return page.WebAssembly.compile(await response.arrayBuffer());
}

async function compare(heard: Float32Array, samples: Float32Array, options: WasmOptions | undefined) {
  const stream = createModel(voiced.network, await openWasm(options), { seed: voiced.seed }).stream();
  const into = new Float32Array(BLOCK);
  const blocks = samples.length / BLOCK;
  let different = 0;
  for (let b = 0; b < blocks; b++) {
    const [begin, end] = [b * BLOCK, (b + 1) * BLOCK];
    stream.step(samples.subarray(begin, end), into);
    if (into.some((value, i) => !Object.is(value, heard[begin + i]))) different++;
  }
  return { different, silent: heard.every((value) => value === 0), blocks };
}
