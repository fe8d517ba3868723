/** What the laws about whole networks are tried on: every shipped cell, and networks that wire them in every way. */
import * as core from "@recurra/core";
import {
  activation,
  cell,
  concat,
  dense,
  embedding,
  gru,
  gruResetBefore,
  last,
  layerNorm,
  lstm,
  lstmp,
  matrix,
  max,
  network,
  recurrent,
  rowMax,
  sigmoid,
  slstm,
  softsign,
  stack,
  tanh,
  vector,
  type Cell,
  type Network,
} from "@recurra/core";
import type { Draw } from "./draw.ts";

export interface Widths {
  readonly I: number;
  readonly H: number;
}

export interface Subject {
  readonly name: string;
  network(widths: Widths): Network;
  /** Where a state is random, between what: by the last part of its name. Default: −1 to 1. */
  readonly states?: Readonly<Record<string, readonly [number, number]>>;
  /** The largest I and H, where so much happens in a single step that worst-case bounds soon say nothing. */
  readonly widest?: number;
  /** What an input that isn't just numbers in ±1 holds: ids below this. */
  readonly ids?: number;
}

const single = (name: string, make: (H: number) => Cell, more: Partial<Subject> = {}): Subject => ({
  name,
  network: ({ I, H }) => stack(recurrent(make(H), { inputSize: I, hiddenSize: H })),
  ...more,
});

/** A normaliser and a stabiliser as they occur: n ≥ 1 where m is what was subtracted. */
const stabilised = { states: { n: [1, 3], m: [-1, 1] } } as const;

const isCell = (entry: [string, unknown]): entry is [string, Cell] =>
  typeof entry[1] === "object" && entry[1] !== null && "apply" in entry[1] && "weights" in entry[1];

/** Every cell that core exports, and those with options. */
export const cells: readonly Subject[] = [
  ...Object.entries(core)
    .filter(isCell)
    .map(([name, shipped]) => single(name, () => shipped, name === "lstmLayerNorm" ? { widest: 17 } : {})),
  single("lstmp", (H) => lstmp({ projectionSize: Math.ceil(H / 2) })),
  single("slstm", () => slstm(), { ...stabilised, widest: 33 }),
  single("slstm with an exponential forget gate", () => slstm({ forget: "exp" }), {
    ...stabilised,
    widest: 33,
  }),
];

/** Cells of no use but to ask what shipped ones don't. */
export const awkward: readonly Subject[] = [
  // Its output runs after the loop, and so needs the state before every step; also before the first, also in a stream.
  single("a cell whose output looks at the state before the step", () =>
    cell({
      name: "late",
      state: ["h"],
      W: ["n"],
      U: ["n"],
      b: ["n"],
      weights: { V: matrix("H", "H") },
      step({ x, h, W, U, b, V }) {
        const n = tanh(W.n.dot(x).plus(U.n.dot(h), b.n));
        return { h: n, y: V.dot(h).plus(n) };
      },
    }),
  ),
  // Units that take their row's maximum are equal at the next step: its gradient goes to them together.
  single("a cell with equal maxima", () =>
    cell({
      name: "ties",
      state: ["h"],
      W: ["n"],
      U: ["n"],
      b: ["n"],
      step: ({ x, h, W, U, b }) => ({
        h: tanh(max(W.n.dot(x).plus(U.n.dot(h), b.n), rowMax(h.times(0.5)).plus(0.2))),
      }),
    }),
  ),
  single("a cell whose state is its input, a step later", () =>
    cell({ name: "late input", state: { h: { width: "I" } }, step: ({ x, h }) => ({ h: x, y: h }) }),
  ),
  single("a cell whose states change places", () =>
    cell({
      name: "swap",
      state: ["h", "s"],
      W: ["n"],
      step: ({ x, h, s, W }) => ({ h: s, s: h, y: tanh(W.n.dot(x).plus(h)) }),
    }),
  ),
  single("a cell whose gates share a bias", () =>
    cell({
      name: "shared",
      state: ["h"],
      W: ["i", "f"],
      U: ["i", "f"],
      b: ["k", "z"],
      step({ x, h, W, U, b }) {
        const i = sigmoid(W.i.dot(x).plus(U.i.dot(h), b.k));
        return { h: i.times(tanh(W.f.dot(x).plus(U.f.dot(h), b.k))).plus(b.z.times(h)) };
      },
    }),
  ),
  single("a cell that returns sums whose addends lie apart", () =>
    cell({
      name: "apart",
      state: ["h"],
      W: ["i", "f", "n"],
      U: ["i", "f"],
      b: ["f", "i"],
      step({ x, h, W, U, b }) {
        const n = W.n.dot(x);
        const [a, f] = [U.i.dot(h).plus(tanh(n)), U.f.dot(h).plus(sigmoid(n))];
        const [i, o] = [W.i.dot(x).plus(b.i), W.f.dot(x).plus(b.f)];
        return { h: tanh(a.plus(f)).times(sigmoid(i.plus(o))), a, f, i, o };
      },
    }),
  ),
  // The gradients of M and of p are sums over different rows, that of p also a product.
  single("a cell with a matrix on a parameter and on a state", () =>
    cell({
      name: "both",
      state: ["h"],
      weights: { M: matrix("H", "H"), p: vector("H") },
      W: ["n"],
      step: ({ x, h, W, M, p }) => ({
        h: tanh(W.n.dot(x).plus(M.dot(h), M.dot(p)).plus(p.times(h))),
      }),
    }),
  ),
  single("a cell that passes on a sum of products of its input", () =>
    cell({
      name: "passed",
      state: ["h"],
      W: ["i"],
      U: ["a", "c"],
      b: ["i"],
      step: ({ x, h, W, U, b }) => ({ h: W.i.dot(x).plus(b.i), y: U.a.dot(h).plus(U.c.dot(h)) }),
    }),
  ),
  single("a cell with a state that nothing reads", () =>
    cell({
      name: "unread",
      state: ["h", "s"],
      W: ["n"],
      U: ["n"],
      b: ["n"],
      step({ x, h, W, U, b }) {
        const n = tanh(W.n.dot(x).plus(U.n.dot(h), b.n));
        return { h: n, s: n };
      },
    }),
  ),
];

const ids = 11;

/** The wiring of RNNoise (Valin 2018), with other widths. */
function wired({ I, H }: Widths): Network {
  const input = dense({ inputSize: I, outputSize: H, name: "input" });
  const a = recurrent(gru, { inputSize: H, hiddenSize: H, name: "a" });
  const b = recurrent(gruResetBefore, { inputSize: 2 * H + I, hiddenSize: H + 1, name: "b" });
  const c = recurrent(gru, { inputSize: 2 * H + 1, hiddenSize: H, name: "c" });
  const vad = dense({ inputSize: H, outputSize: 1, name: "vad" });
  return network({ x: I }, ({ x }) => {
    const first = tanh(input(x));
    const voice = a(first);
    const noise = b(concat(first, voice, x));
    return { gains: c(concat(voice, noise)), vad: vad(voice) };
  });
}

function twoHeads({ I, H }: Widths): Network {
  const head = dense({ inputSize: I, outputSize: H, name: "head" });
  return network({ x: I }, ({ x }) => ({ every: head(x), final: head(last(x)) }));
}

function twice({ H }: Widths): Network {
  const layer = recurrent(gru, { inputSize: H, hiddenSize: H, name: "layer" });
  return network({ x: H }, ({ x }) => layer(layer(x)));
}

function sharedTable({ H }: Widths): Network {
  const table = embedding({ vocabularySize: ids, outputSize: 3, name: "table" });
  const layer = recurrent(lstm, { inputSize: 6, hiddenSize: H });
  return network({ x: 1, y: 1 }, ({ x, y }) => layer(concat(table(x), table(y))));
}

export const networks: readonly Subject[] = [
  {
    name: "a reverse GRU",
    network: ({ I, H }) => stack(recurrent(gru, { inputSize: I, hiddenSize: H, reverse: true })),
  },
  {
    name: "a bidirectional LSTM of two layers, concatenated, and a dense layer",
    network: ({ I, H }) =>
      stack(
        recurrent(lstm, { inputSize: I, hiddenSize: H, layers: 2, bidirectional: true }),
        dense({ inputSize: 2 * H, outputSize: 3 }),
      ),
  },
  ...(["sum", "mul", "mean"] as const).map((merge): Subject => ({
    name: `a bidirectional GRU, merged by ${merge}`,
    network: ({ I, H }) => stack(recurrent(gru, { inputSize: I, hiddenSize: H, bidirectional: true, merge })),
  })),
  {
    name: "an embedding, an LSTM, layer normalisation and the last step",
    ids,
    network: ({ H }) =>
      stack(
        embedding({ vocabularySize: ids, outputSize: 4 }),
        recurrent(lstm, { inputSize: 4, hiddenSize: H }),
        layerNorm({ size: H }),
        activation(softsign),
        last,
        dense({ inputSize: H, outputSize: 2 }),
      ),
  },
  {
    name: "a dense layer on a sequence and on its last step",
    network: twoHeads,
  },
  {
    name: "a GRU applied twice",
    network: twice,
  },
  {
    name: "an embedding applied to two inputs",
    ids,
    network: sharedTable,
  },
  { name: "three GRUs wired with concats, and two outputs", widest: 17, network: wired },
];

/** Values for a subject's parameter: of a size that keeps states moving, neither dead nor saturated. */
export function parameterValues(draw: Draw, rows: number, width: number): Float32Array {
  return draw.floats(rows * width, rows > 1 ? 1.2 / Math.sqrt(width) : 0.8);
}
