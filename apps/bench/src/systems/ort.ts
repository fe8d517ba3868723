// The peers `ort-node` and `ort-web`: ONNX Runtime, native and WebAssembly, one thread. Both have one API.
import { FRAMES } from "../data.ts";
import { loadPeer } from "../peers.ts";
import type { Job, Prepared, System } from "../system.ts";
import { rounds } from "../timing.ts";
import { onnxModel, type Protobuf } from "./onnx-model.ts";

interface OrtTensor {
  readonly data: Float32Array;
}
type Feeds = Record<string, OrtTensor>;
interface Ort {
  Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OrtTensor;
  InferenceSession: {
    create(model: Uint8Array, options: object): Promise<{ run(feeds: Feeds): Promise<Feeds> }>;
  };
  env: { wasm: { numThreads?: number } };
}

const system = (peer: "ort-node" | "ort-web", name: string, options: object): System => ({
  async prepare(job: Job): Promise<Prepared> {
    const { T, B, I, H, step } = job.workload;
    const x = job.data.x.data;
    const ort = await loadPeer<Ort>(peer, name);
    ort.env.wasm.numThreads = 1;
    const model = onnxModel(await loadPeer<Protobuf>(peer, "protobufjs/light.js"), job);
    const session = await ort.InferenceSession.create(model, options);

    if (!step) {
      const run = async () => {
        const { output } = await session.run({ X: new ort.Tensor("float32", x, [T, B, I]) });
        return output!.data;
      };
      return { results: { output: await run() }, round: rounds(run) };
    }

    const zeros = () => new ort.Tensor("float32", new Float32Array(B * H), [1, B, H]);
    let state = { h: zeros(), c: zeros() };
    let frame = 0;
    const next = async () => {
      const X = new ort.Tensor("float32", x.subarray(frame * I, (frame + 1) * I), [T, B, I]);
      const { h, c } = await session.run({ X, initial_h: state.h, initial_c: state.c });
      state = { h: h!, c: c! };
      frame = (frame + 1) % FRAMES;
      return state.h.data;
    };
    const output = new Float32Array(FRAMES * H);
    for (let k = 0; k < FRAMES; k++) output.set(await next(), k * H);
    return { results: { output }, round: rounds(next) };
  },
});

export const ortNode = system("ort-node", "onnxruntime-node", { intraOpNumThreads: 1, interOpNumThreads: 1 });
export const ortWeb = system("ort-web", "onnxruntime-web", { executionProviders: ["wasm"] });
