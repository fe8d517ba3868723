// The peer `jax-js`: an LSTM as one writes it in JAX, compiled with jit, on its WebAssembly backend.
import { FRAMES, type Gate } from "../data.ts";
import { loadPeer } from "../peers.ts";
import type { Job, Prepared, System } from "../system.ts";
import { rounds } from "../timing.ts";
import { keras, unstackGates } from "./keras.ts";

/** An array is used up by the operation that takes it; `ref` is one more reference to it. */
interface JaxArray {
  readonly ref: JaxArray;
  add(other: JaxArray): JaxArray;
  mul(other: JaxArray): JaxArray;
  sum(): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  dataSync(): Float32Array;
  dispose(): void;
}
type Arrays = Record<string, JaxArray>;
interface Jax {
  init(...devices: string[]): Promise<unknown>;
  defaultDevice(device: string): unknown;
  jit<Args extends unknown[], Result>(work: (...args: Args) => Result): (...args: Args) => Result;
  grad(work: (...args: Arrays[]) => JaxArray): (...args: Arrays[]) => Arrays;
  numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray;
    zeros(shape: readonly number[]): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    tanh(x: JaxArray): JaxArray;
    split(x: JaxArray, parts: number, axis: number): JaxArray[];
    stack(parts: JaxArray[], axis: number): JaxArray;
  };
  nn: { sigmoid(x: JaxArray): JaxArray };
}

async function load(): Promise<Jax> {
  // It asks the browser what it can do, and Node 20 has no navigator.
  if (!("navigator" in globalThis)) Object.defineProperty(globalThis, "navigator", { value: {} });
  const jax = await loadPeer<Jax>("jax-js", "@jax-js/jax");
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  return jax;
}

const GATE_ORDER: readonly Gate[] = ["i", "f", "g", "o"];

/** The LSTM of a workload, in jax-js, its gates in GATE_ORDER. Parameters: W [I, 4H], U [H, 4H], b [4H], and V [H, O], d [O] of a dense layer. */
function lstm({ numpy: np, nn }: Jax, { workload }: Job) {
  const { T, B, I, H, output } = workload;

  /** `projected` is x W + b, [B, 4H]. */
  const cell = (U: JaxArray, projected: JaxArray, h: JaxArray, c: JaxArray) => {
    const [i, f, g, o] = np.split(projected.add(np.matmul(h, U)), 4, 1);
    const newC = nn
      .sigmoid(f!)
      .mul(c)
      .add(nn.sigmoid(i!).mul(np.tanh(g!)));
    return { h: nn.sigmoid(o!).mul(np.tanh(newC.ref)), c: newC };
  };

  const step = ({ W, U, b }: Arrays, { x, h, c }: Arrays) => cell(U!, np.matmul(x!, W!).add(b!), h!, c!);

  /** x [T·B, I] → [T, B, H or O]. There is no scan: the loop is unrolled. */
  const sequence = ({ W, U, b, V, d }: Arrays, x: JaxArray): JaxArray => {
    const projected = np.split(np.matmul(x, W!).add(b!), T, 0);
    let h = np.zeros([B, H]);
    let c = np.zeros([B, H]);
    const outputs = projected.map((rows) => {
      ({ h, c } = cell(U!.ref, rows, h, c));
      return h.ref;
    });
    U!.dispose();
    h.dispose();
    c.dispose();
    const hidden = np.stack(outputs, 0);
    if (!output) return hidden;
    return np.matmul(hidden.reshape([T * B, H]), V!).add(d!);
  };

  return { step, sequence, inputShape: [T * B, I], outputShape: [T, B, H] };
}

export const jaxJs: System = {
  async prepare(job): Promise<Prepared> {
    const jax = await load();
    const np = jax.numpy;
    const { workload, data } = job;
    const { I, H } = workload;
    const { step, sequence, inputShape, outputShape } = lstm(jax, job);
    const { kernel, recurrentKernel, bias, dense } = keras(data.parameters, GATE_ORDER);
    const weights = {
      W: kernel,
      U: recurrentKernel,
      b: bias,
      ...(dense && { V: dense.kernel, d: dense.bias }),
    };
    const parameters: Arrays = {};
    for (const [name, { data, shape }] of Object.entries(weights))
      parameters[name] = np.array(data, { shape });
    const refs = () =>
      Object.fromEntries(Object.entries(parameters).map(([name, array]) => [name, array.ref]));
    const x = () => np.array(data.x.data, { shape: inputShape });

    if (job.kind === "gradient") {
      const loss = ({ x, ...parameters }: Arrays, { dy }: Arrays) => sequence(parameters, x!).mul(dy!).sum();
      const gradient = jax.jit(jax.grad(loss));
      const run = () => {
        const dy = np.array(data.outputGradient.data, { shape: outputShape });
        const gradients = gradient({ ...refs(), x: x() }, { dy });
        return Object.fromEntries(Object.entries(gradients).map(([name, array]) => [name, array.dataSync()]));
      };
      const { W, U, b, x: input } = run();
      const results = {
        ...unstackGates("W", W!, I, GATE_ORDER),
        ...unstackGates("U", U!, H, GATE_ORDER),
        ...unstackGates("b", b!, 1, GATE_ORDER),
        input: input!,
      };
      return { results, round: rounds(run) };
    }

    if (!workload.step) {
      const forward = jax.jit(sequence);
      const run = () => forward(refs(), x()).dataSync();
      return { results: { output: run() }, round: rounds(run) };
    }

    const compiled = jax.jit(step);
    let state = { h: np.zeros([1, H]), c: np.zeros([1, H]) };
    let frame = 0;
    const next = () => {
      const x = np.array(data.x.data.slice(frame * I, (frame + 1) * I), { shape: [1, I] });
      state = compiled(refs(), { x, ...state });
      frame = (frame + 1) % FRAMES;
      return state.h.ref.dataSync();
    };
    const output = new Float32Array(FRAMES * H);
    for (let k = 0; k < FRAMES; k++) output.set(next(), k * H);
    return { results: { output }, round: rounds(next) };
  },
};
