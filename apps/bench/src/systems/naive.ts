// The peer `naive`: the LSTM as a programmer writes it from its equations, in plain loops over typed arrays.
import type { Tensor } from "@recurra/core";
import { FRAMES } from "../data.ts";
import type { Prepared, System } from "../system.ts";
import { rounds } from "../timing.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

interface State {
  readonly h: Float32Array;
  readonly c: Float32Array;
}

/** One array a gate: i, f, g, o. */
type Gates = readonly [Float32Array, Float32Array, Float32Array, Float32Array];

class NaiveLstm {
  private readonly W: Gates;
  private readonly U: Gates;
  private readonly b: Gates;

  constructor(
    private readonly parameters: Readonly<Record<string, Tensor>>,
    private readonly inputSize: number,
    private readonly hiddenSize: number,
  ) {
    const data = (name: string) => parameters[name]!.data;
    const gates = (name: string): Gates => [
      data(`${name}.i`),
      data(`${name}.f`),
      data(`${name}.g`),
      data(`${name}.o`),
    ];
    this.W = gates("0.W");
    this.U = gates("0.U");
    this.b = gates("0.b");
  }

  zeroState(): State {
    return { h: new Float32Array(this.hiddenSize), c: new Float32Array(this.hiddenSize) };
  }

  /** One step of one row. */
  step(x: Float32Array, { h, c }: State): State {
    const { inputSize: I, hiddenSize: H } = this;
    const [Wi, Wf, Wg, Wo] = this.W;
    const [Ui, Uf, Ug, Uo] = this.U;
    const [bi, bf, bg, bo] = this.b;
    const next = this.zeroState();
    for (let unit = 0; unit < H; unit++) {
      let i = bi[unit]!;
      let f = bf[unit]!;
      let g = bg[unit]!;
      let o = bo[unit]!;
      for (let k = 0; k < I; k++) {
        const xk = x[k]!;
        const at = unit * I + k;
        i += Wi[at]! * xk;
        f += Wf[at]! * xk;
        g += Wg[at]! * xk;
        o += Wo[at]! * xk;
      }
      for (let k = 0; k < H; k++) {
        const hk = h[k]!;
        const at = unit * H + k;
        i += Ui[at]! * hk;
        f += Uf[at]! * hk;
        g += Ug[at]! * hk;
        o += Uo[at]! * hk;
      }
      const newC = sigmoid(f) * c[unit]! + sigmoid(i) * Math.tanh(g);
      next.c[unit] = newC;
      next.h[unit] = sigmoid(o) * Math.tanh(newC);
    }
    return next;
  }

  /** The dense layer on top, if there is one. */
  readout(h: Float32Array): Float32Array {
    const W = this.parameters["1.W"];
    const b = this.parameters["1.b"];
    if (!W || !b) return h;
    const y = new Float32Array(b.data.length);
    for (let unit = 0; unit < y.length; unit++) {
      let sum = b.data[unit]!;
      for (let k = 0; k < this.hiddenSize; k++) sum += W.data[unit * this.hiddenSize + k]! * h[k]!;
      y[unit] = sum;
    }
    return y;
  }

  /** A sequence [T, B, I]; returns [T, B, output features]. */
  run(x: Float32Array, T: number, B: number, outputSize: number): Float32Array {
    const output = new Float32Array(T * B * outputSize);
    for (let row = 0; row < B; row++) {
      let state = this.zeroState();
      for (let t = 0; t < T; t++) {
        const at = t * B + row;
        state = this.step(x.subarray(at * this.inputSize, (at + 1) * this.inputSize), state);
        output.set(this.readout(state.h), at * outputSize);
      }
    }
    return output;
  }
}

export const naive: System = {
  prepare({ workload, data }): Promise<Prepared> {
    const { T, B, I, H, step } = workload;
    const lstm = new NaiveLstm(data.parameters, I, H);
    const x = data.x.data;
    if (!step) {
      const run = () => lstm.run(x, T, B, workload.output ?? H);
      return Promise.resolve({ results: { output: run() }, round: rounds(run) });
    }
    let state = lstm.zeroState();
    let frame = 0;
    const next = () => {
      state = lstm.step(x.subarray(frame * I, (frame + 1) * I), state);
      frame = (frame + 1) % FRAMES;
      return state.h;
    };
    const output = new Float32Array(FRAMES * H);
    for (let k = 0; k < FRAMES; k++) output.set(next(), k * H);
    return Promise.resolve({ results: { output }, round: rounds(next) });
  },
};
