// The peer `gpujs-naive`: the LSTM on gpu.js as its documentation's examples are written: arrays go into each kernel and come out of it.
// A kernel for each operation of each gate (W·x, U·h, the activation of their sum) and for c and h: fourteen launches a step. `fused`: a
// gate's operations in one kernel, six launches a step, which is as good as it gets without textures that stay.
import type { Tensor } from "@recurra/core";
import { GPU, type IKernelRunShortcut } from "gpu.js";
import { FRAMES, type Gate } from "../data.ts";
import type { Prepared, System } from "../system.ts";
import { rounds } from "../timing.ts";

type Row = Float32Array;
type Matrix = readonly Row[];
/** gpu.js's own type of a result is a union of all that there can be; with an output of two widths it is rows. */
type Kernel = (...args: readonly (Matrix | Row)[]) => Matrix;

const sigmoid = "1 / (1 + Math.exp(-sum))";
/** gpu.js's Math.tanh is NaN for large numbers. */
const tanh = "1 - 2 / (1 + Math.exp(2 * sum))";

/** Sources, not functions: what rewrites a function (a bundler, a coverage tool) rewrites the kernel. */
const product = (depth: "I" | "H") => `function (M, v) {
  let sum = 0;
  for (let k = 0; k < this.constants.${depth}; k++) sum += M[this.thread.x][k] * v[this.thread.y][k];
  return sum;
}`;
const activated = (activation: string) => `function (Wx, Uh, b) {
  const sum = Wx[this.thread.y][this.thread.x] + Uh[this.thread.y][this.thread.x] + b[this.thread.x];
  return ${activation};
}`;
const fusedGate = (activation: string) => `function (W, U, b, x, h) {
  let sum = b[this.thread.x];
  for (let k = 0; k < this.constants.I; k++) sum += W[this.thread.x][k] * x[this.thread.y][k];
  for (let k = 0; k < this.constants.H; k++) sum += U[this.thread.x][k] * h[this.thread.y][k];
  return ${activation};
}`;
const nextC = `function (f, c, i, g) {
  const x = this.thread.x, y = this.thread.y;
  return f[y][x] * c[y][x] + i[y][x] * g[y][x];
}`;
const nextH = `function (o, c) {
  const sum = c[this.thread.y][this.thread.x];
  return o[this.thread.y][this.thread.x] * (${tanh});
}`;
/** The dense layer on top, where there is one. */
const readout = `function (W, b, h) {
  let sum = b[this.thread.x];
  for (let k = 0; k < this.constants.H; k++) sum += W[this.thread.x][k] * h[this.thread.y][k];
  return sum;
}`;

const ofGates = <Value>(of: (name: Gate) => Value) => ({ i: of("i"), f: of("f"), g: of("g"), o: of("o") });

const rowsOf = ({ shape, data }: Tensor): Matrix => {
  const width = shape.at(-1)!;
  return Array.from({ length: data.length / width }, (_, r) => data.subarray(r * width, (r + 1) * width));
};

export const gpujsNaive: System = {
  prepare({ workload, data: { parameters, x }, variant }): Promise<Prepared> {
    const { T, B, I, H, step, output: outputSize = H } = workload;
    const gpu = new GPU({ mode: "headlessgl" });
    const kernel = (source: string, width: number): Kernel => {
      const made: IKernelRunShortcut = gpu.createKernel(source, {
        output: [width, B],
        constants: { I, H },
        precision: "single",
      });
      return made as Kernel;
    };
    const gates = ofGates((name) => {
      const activation = name === "g" ? tanh : sigmoid;
      if (variant === "fused") return kernel(fusedGate(activation), H);
      const [Wx, Uh, gate] = [
        kernel(product("I"), H),
        kernel(product("H"), H),
        kernel(activated(activation), H),
      ];
      return (W: Matrix, U: Matrix, b: Row, x: Matrix, h: Matrix) => gate(Wx(W, x), Uh(U, h), b);
    });
    const [c, h, y] = [kernel(nextC, H), kernel(nextH, H), kernel(readout, outputSize)];

    const weights = ofGates(
      (name) =>
        [
          rowsOf(parameters[`0.W.${name}`]!),
          rowsOf(parameters[`0.U.${name}`]!),
          parameters[`0.b.${name}`]!.data,
        ] as const,
    );
    const dense = parameters["1.W"] && ([rowsOf(parameters["1.W"]), parameters["1.b"]!.data] as const);

    const zeros = (): Matrix => Array.from({ length: B }, () => new Float32Array(H));
    const frames = rowsOf(x);
    let state = { h: zeros(), c: zeros() };
    /** One step; returns what the network shows of it. */
    const next = (t: number): Matrix => {
      const frame = frames.slice(t * B, (t + 1) * B);
      const of = (name: Gate) => gates[name](...weights[name], frame, state.h);
      const newC = c(of("f"), state.c, of("i"), of("g"));
      state = { h: h(of("o"), newC), c: newC };
      return dense ? y(...dense, state.h) : state.h;
    };
    const collect = (steps: number): Float32Array => {
      const output = new Float32Array(steps * B * outputSize);
      for (let t = 0; t < steps; t++) next(t).forEach((row, r) => output.set(row, (t * B + r) * outputSize));
      return output;
    };

    if (step) {
      const results = { output: collect(FRAMES) };
      let frame = 0;
      return Promise.resolve({ results, round: rounds(() => next(frame++ % FRAMES)) });
    }
    const run = (): Float32Array => {
      state = { h: zeros(), c: zeros() };
      return collect(T);
    };
    return Promise.resolve({ results: { output: run() }, round: rounds(run) });
  },
};
