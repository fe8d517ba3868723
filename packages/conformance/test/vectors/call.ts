/** One call of a recurrent operator, with ONNX's tensors: the network it is, its parameters, and its outputs. */
import { concat, network, recurrent, type Layer, type Network } from "@recurra/core";
import { operatorCell, peepholes, type Operator, type OperatorOptions } from "./operators.ts";

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** D directions, T steps, B rows, I features, H hidden. */
export interface Call {
  readonly operator: Operator;
  readonly direction: "forward" | "reverse" | "bidirectional";
  readonly hiddenSize: number;
  /** One for each direction. */
  readonly options: readonly OperatorOptions[];
  /** The order of the gates in W, R and B. */
  readonly gates: readonly string[];
  /** [T, B, I] */
  readonly X: Tensor;
  /** [D, gates · H, I] */
  readonly W: Tensor;
  /** [D, gates · H, H] */
  readonly R: Tensor;
  /** [D, 2 · gates · H]: the input's biases, then the recurrent ones */
  readonly B?: Tensor | undefined;
  /** [B] */
  readonly lengths?: Tensor | undefined;
  /** [D, B, H] */
  readonly initialH?: Tensor | undefined;
  readonly initialC?: Tensor | undefined;
  /** [D, 3 · H]: of i, o and f */
  readonly P?: Tensor | undefined;
}

/** What a runner is given and gives: a network of one layer, or of two directions side by side. */
export interface Run {
  readonly network: Network;
  /** By name, row-major. */
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly x: Tensor;
  /** [B, H] each. */
  readonly state: Readonly<Record<string, readonly number[]>>;
  readonly lengths: readonly number[] | undefined;
}
export interface RunResult {
  /** [T, B, D · H] */
  readonly output: ArrayLike<number>;
  readonly state: Readonly<Record<string, ArrayLike<number>>>;
}
export type Runner = (run: Run) => RunResult;

/** Y [T, D, B, H]; Y_h and Y_c [D, B, H] */
export interface CallResult {
  readonly Y: ArrayLike<number>;
  readonly Y_h: ArrayLike<number>;
  readonly Y_c: ArrayLike<number>;
}

export function runCall(call: Call, run: Runner): CallResult {
  const { hiddenSize: H, X, gates, direction } = call;
  const [T, B, I] = X.shape as [number, number, number];
  const D = direction === "bidirectional" ? 2 : 1;
  const layers = wire(call, I);

  const parameters: Record<string, readonly number[]> = {};
  const state: Record<string, readonly number[]> = {};
  const zeros = new Array<number>(H).fill(0);
  layers.names.forEach((name, d) => {
    gates.forEach((gate, k) => {
      const n = gates.length;
      parameters[`${name}.W.${gate}`] = block(call.W, D * n, d * n + k);
      parameters[`${name}.U.${gate}`] = block(call.R, D * n, d * n + k);
      parameters[`${name}.b.${gate}`] = call.B ? block(call.B, D * 2 * n, d * 2 * n + k) : zeros;
      parameters[`${name}.d.${gate}`] = call.B ? block(call.B, D * 2 * n, d * 2 * n + n + k) : zeros;
    });
    if (call.operator === "LSTM")
      for (const [k, gate] of peepholes.entries())
        parameters[`${name}.p.${gate}`] = call.P ? block(call.P, D * 3, d * 3 + k) : zeros;
    if (call.initialH) state[`${name}.h`] = block(call.initialH, D, d);
    if (call.initialC) state[`${name}.c`] = block(call.initialC, D, d);
  });

  const result = run({ network: layers.network, parameters, x: X, state, lengths: call.lengths?.data });
  const Y = new Float64Array(T * D * B * H);
  for (let t = 0; t < T; t++)
    for (let d = 0; d < D; d++)
      for (let b = 0; b < B; b++)
        for (let j = 0; j < H; j++)
          Y[((t * D + d) * B + b) * H + j] = result.output[((t * B + b) * D + d) * H + j]!;
  // ONNX Runtime's rule: where Recurra gives a row without steps its initial state, Y_h and Y_c are 0 there.
  const last = (key: string): number[] =>
    layers.names.flatMap((name) =>
      Array.from(result.state[`${name}.${key}`]!, (v, i) =>
        call.lengths?.data[Math.floor(i / H)] === 0 ? 0 : v,
      ),
    );
  return { Y, Y_h: last("h"), Y_c: call.operator === "LSTM" ? last("c") : [] };
}

/** A layer for each direction, or one that is bidirectional where both directions have the same cell. */
function wire(call: Call, inputSize: number): { network: Network; names: readonly string[] } {
  const { direction, options, hiddenSize } = call;
  const [forward, backward] = options;
  const layer = (
    name: string,
    of: OperatorOptions,
    how: { reverse?: boolean; bidirectional?: boolean },
  ): Layer => recurrent(operatorCell[call.operator](of), { inputSize, hiddenSize, name, ...how });
  if (direction !== "bidirectional") {
    const only = layer("only", forward!, { reverse: direction === "reverse" });
    return { network: network({ x: inputSize }, ({ x }) => only(x)), names: ["only"] };
  }
  if (forward === backward) {
    const both = layer("both", forward!, { bidirectional: true });
    return { network: network({ x: inputSize }, ({ x }) => both(x)), names: ["both.l0", "both.l0.reverse"] };
  }
  const [a, b] = [layer("forward", forward!, {}), layer("reverse", backward!, { reverse: true })];
  return { network: network({ x: inputSize }, ({ x }) => concat(a(x), b(x))), names: ["forward", "reverse"] };
}

/** The k-th of `count` equal parts. */
function block({ data }: Tensor, count: number, k: number): readonly number[] {
  const size = data.length / count;
  return data.slice(k * size, (k + 1) * size);
}
