// The peer `jax-js`: an LSTM as one writes it in JAX, compiled with jit, on its WebAssembly backend.
import { FRAMES, type Gate, LEARNING_RATE } from "../data.ts";
import { firstLosses } from "../first-losses.ts";
import { loadPeer } from "../peers.ts";
import type { Job, Prepared, System } from "../system.ts";
import { rounds } from "../timing.ts";
import { keras, oneHot, unstackGates } from "./keras.ts";

/** An array is used up by the operation that takes it; `ref` is one more reference to it. */
interface JaxArray {
  readonly ref: JaxArray;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray): JaxArray;
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
  valueAndGrad(
    work: (...args: Arrays[]) => JaxArray,
  ): (...args: Arrays[]) => [value: JaxArray, gradients: Arrays];
  numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray;
    zeros(shape: readonly number[]): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    tanh(x: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    split(x: JaxArray, parts: number, axis: number): JaxArray[];
    stack(parts: JaxArray[], axis: number): JaxArray;
  };
  nn: { sigmoid(x: JaxArray): JaxArray; logSoftmax(x: JaxArray, axis: number): JaxArray };
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
  const { T, B, I, H, output, loss } = workload;

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

  /** x [T·B, I] → [T, B, H], or the dense layer's outputs [T·B, O], or those of the last step [B, O]. There is no scan: the loop is unrolled. */
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
    if (loss === "last") {
      const last = outputs.pop()!;
      for (const rows of outputs) rows.dispose();
      return np.matmul(last, V!).add(d!);
    }
    const hidden = np.stack(outputs, 0);
    if (!output) return hidden;
    return np.matmul(hidden.reshape([T * B, H]), V!).add(d!);
  };

  return { step, sequence, inputShape: [T * B, I], outputShape: [T, B, H] };
}

/** A step of Adam on the cross-entropy, all of it one compiled function. */
function training(
  jax: Jax,
  { workload, data }: Job,
  sequence: (parameters: Arrays, x: JaxArray) => JaxArray,
  initial: Arrays,
  x: () => JaxArray,
): () => number {
  const np = jax.numpy;
  const { classes } = data;
  const rows = classes.data.length;
  const width = workload.output ?? workload.H;
  const loss = (parameters: Arrays, { x, hits }: Arrays) =>
    jax.nn
      .logSoftmax(sequence(parameters, x!), 1)
      .mul(hits!)
      .sum()
      .mul(-1 / rows);
  const map = (arrays: Arrays, change: (array: JaxArray, name: string) => JaxArray): Arrays =>
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, change(array, name)]));
  const refs = (arrays: Arrays) => map(arrays, (array) => array.ref);

  /** `rate` and `root` have Adam's corrections in them. */
  const compiled = jax.jit((p: Arrays, m: Arrays, v: Arrays, { x, hits, rate, root }: Arrays) => {
    const [value, gradients] = jax.valueAndGrad(loss)(refs(p), { x: x!, hits: hits! });
    const nextM = map(m, (mean, name) => mean.mul(0.9).add(gradients[name]!.ref.mul(0.1)));
    const nextV = map(v, (mean, name) => {
      const gradient = gradients[name]!;
      return mean.mul(0.999).add(gradient.ref.mul(gradient).mul(0.001));
    });
    const nextP = map(p, (parameter, name) => {
      const divisor = np.sqrt(nextV[name]!.ref).div(root!.ref).add(1e-8);
      return parameter.sub(nextM[name]!.ref.mul(rate!.ref).div(divisor));
    });
    rate!.dispose();
    root!.dispose();
    return { value, p: nextP, m: nextM, v: nextV };
  });

  let state = {
    p: initial,
    m: map(initial, (array) => array.ref.mul(0)),
    v: map(initial, (array) => array.ref.mul(0)),
  };
  let taken = 0;
  const number = (value: number) => np.array(Float32Array.of(value), { shape: [] });
  return () => {
    taken++;
    const hits = np.array(oneHot(classes.data, width), { shape: [rows, width] });
    const rate = number(LEARNING_RATE / (1 - 0.9 ** taken));
    const root = number(Math.sqrt(1 - 0.999 ** taken));
    const { value, ...next } = compiled(state.p, state.m, state.v, { x: x(), hits, rate, root });
    state = next;
    return value.dataSync()[0]!;
  };
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

    if (job.kind === "train") {
      const { sequence } = lstm(jax, job);
      const step = training(jax, job, sequence, parameters, x);
      return { results: await firstLosses(step), round: rounds(step) };
    }

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
