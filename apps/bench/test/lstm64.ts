// An LSTM with its gradients in float64, written plainly from the equations: what the tests hold the peers against.
import { type Data, type Gate, GATES } from "../src/data.ts";
import type { Workload } from "../src/workloads.ts";

type Gates<Value> = Record<Gate, Value>;

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Every value of a forward run, [T, B, H] each, and the output: h, or the dense layer's [T, B, O]. */
interface Forward extends Gates<Float64Array> {
  readonly c: Float64Array;
  readonly h: Float64Array;
  readonly output: Float64Array;
}

export function forward64({ parameters, x }: Pick<Data, "parameters" | "x">): Forward {
  const [T = 0, B = 0, I = 0] = x.shape;
  const H = parameters["0.b.i"]!.data.length;
  const zeros = () => new Float64Array(T * B * H);
  const gates: Gates<Float64Array> = { i: zeros(), f: zeros(), g: zeros(), o: zeros() };
  const c = zeros();
  const h = zeros();
  for (let t = 0; t < T; t++) {
    for (let row = 0; row < B; row++) {
      const now = t * B + row;
      const before = now - B;
      for (const gate of GATES) {
        const W = parameters[`0.W.${gate}`]!.data;
        const U = parameters[`0.U.${gate}`]!.data;
        const b = parameters[`0.b.${gate}`]!.data;
        for (let unit = 0; unit < H; unit++) {
          let sum = b[unit]!;
          for (let k = 0; k < I; k++) sum += W[unit * I + k]! * x.data[now * I + k]!;
          if (t > 0) for (let k = 0; k < H; k++) sum += U[unit * H + k]! * h[before * H + k]!;
          gates[gate][now * H + unit] = gate === "g" ? Math.tanh(sum) : sigmoid(sum);
        }
      }
      for (let unit = 0; unit < H; unit++) {
        const at = now * H + unit;
        const carried = t > 0 ? gates.f[at]! * c[before * H + unit]! : 0;
        c[at] = carried + gates.i[at]! * gates.g[at]!;
        h[at] = gates.o[at]! * Math.tanh(c[at]);
      }
    }
  }
  return { ...gates, c, h, output: dense64(parameters, h, H) };
}

function dense64(parameters: Data["parameters"], h: Float64Array, H: number): Float64Array {
  const W = parameters["1.W"]?.data;
  const b = parameters["1.b"]?.data;
  if (!W || !b) return h;
  const output = new Float64Array((h.length / H) * b.length);
  for (let at = 0; at < output.length; at++) {
    const unit = at % b.length;
    const row = Math.floor(at / b.length);
    let sum = b[unit]!;
    for (let k = 0; k < H; k++) sum += W[unit * H + k]! * h[row * H + k]!;
    output[at] = sum;
  }
  return output;
}

/** Backpropagation through time: "0.W.i" … and "input". */
export function gradient64(data: Data, workload: Pick<Workload, "H">): Record<string, Float64Array> {
  const { parameters, x, outputGradient } = data;
  const [T = 0, B = 0, I = 0] = x.shape;
  const { H } = workload;
  const { i, f, g, o, c, h } = forward64(data);
  const result: Record<string, Float64Array> = { input: new Float64Array(T * B * I) };
  for (const gate of GATES) {
    for (const [name, length] of Object.entries({ W: H * I, U: H * H, b: H })) {
      result[`0.${name}.${gate}`] = new Float64Array(length);
    }
  }
  const dh = new Float64Array(B * H);
  const dc = new Float64Array(B * H);
  for (let t = T - 1; t >= 0; t--) {
    for (let row = 0; row < B; row++) {
      const now = t * B + row;
      const before = now - B;
      const delta: Gates<Float64Array> = {
        i: new Float64Array(H),
        f: new Float64Array(H),
        g: new Float64Array(H),
        o: new Float64Array(H),
      };
      for (let unit = 0; unit < H; unit++) {
        const at = now * H + unit;
        const [I, F, G, O] = [i[at]!, f[at]!, g[at]!, o[at]!];
        const tanhC = Math.tanh(c[at]!);
        const DH = dh[row * H + unit]! + outputGradient.data[at]!;
        const DC = dc[row * H + unit]! + DH * O * (1 - tanhC * tanhC);
        delta.i[unit] = DC * G * I * (1 - I);
        delta.f[unit] = t > 0 ? DC * c[before * H + unit]! * F * (1 - F) : 0;
        delta.g[unit] = DC * I * (1 - G * G);
        delta.o[unit] = DH * tanhC * O * (1 - O);
        dc[row * H + unit] = DC * F;
      }
      dh.fill(0, row * H, (row + 1) * H);
      for (const gate of GATES) {
        const W = parameters[`0.W.${gate}`]!.data;
        const U = parameters[`0.U.${gate}`]!.data;
        const dW = result[`0.W.${gate}`]!;
        const dU = result[`0.U.${gate}`]!;
        const db = result[`0.b.${gate}`]!;
        for (let unit = 0; unit < H; unit++) {
          const d = delta[gate][unit]!;
          db[unit]! += d;
          for (let k = 0; k < I; k++) {
            dW[unit * I + k]! += d * x.data[now * I + k]!;
            result.input![now * I + k]! += d * W[unit * I + k]!;
          }
          for (let k = 0; k < H; k++) {
            if (t > 0) dU[unit * H + k]! += d * h[before * H + k]!;
            dh[row * H + k]! += d * U[unit * H + k]!;
          }
        }
      }
    }
  }
  return result;
}
