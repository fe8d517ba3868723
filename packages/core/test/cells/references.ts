/**
 * Every cell again, as its paper has it, in plain float64 loops over one sequence: what the cells are tested against. Nothing
 * here comes from the cell language.
 */
export type Vector = number[];
/** By name without the layer's prefix: "W.i", "b.i", "u". Matrices are rows of [out, in]. */
export interface Weights {
  matrix(name: string): Vector[];
  vector(name: string): Vector;
}
export type State = Readonly<Record<string, Vector>>;
export interface Reference {
  /** States, with their widths where it isn't H, and what they hold at first where it isn't 0. */
  readonly state: Readonly<Record<string, { readonly width?: number; readonly initial?: number }>>;
  /** One step: the next states and the gates that the paper names. */
  step(x: Vector, state: State, weights: Weights): { readonly state: State; readonly gates: State };
}

const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
const relu = (v: number): number => (v > 0 ? v : 0);

const dot = (matrix: Vector[], v: Vector): Vector =>
  matrix.map((row) => {
    let sum = 0;
    for (let k = 0; k < row.length; k++) sum += row[k]! * v[k]!;
    return sum;
  });

/** For each unit: `formula` of the vectors' values there. */
const units = (formula: (...values: number[]) => number, ...vectors: Vector[]): Vector =>
  vectors[0]!.map((_, j) => formula(...vectors.map((v) => v[j]!)));

const plus = (...vectors: Vector[]): Vector =>
  units((...values) => values.reduce((a, b) => a + b), ...vectors);

/** W x + U h + b, for one gate. */
const affine = (w: Weights, gate: string, x: Vector, h: Vector): Vector =>
  plus(dot(w.matrix(`W.${gate}`), x), dot(w.matrix(`U.${gate}`), h), w.vector(`b.${gate}`));

/** c' = f c + i g */
const remember = (i: Vector, f: Vector, g: Vector, c: Vector): Vector =>
  units((i, f, g, c) => f * c + i * g, i, f, g, c);
const show = (o: Vector, c: Vector): Vector => units((o, c) => o * Math.tanh(c), o, c);

/** (v − μ) / σ over all parts taken as one vector; Ba et al. 2016, equation 3 with their ε inside the root. */
function normalize(parts: Vector[]): Vector[] {
  const all = parts.flat();
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const variance = all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length;
  return parts.map((part) => part.map((v) => (v - mean) / Math.sqrt(variance + 1e-5)));
}

const lstm: Reference = {
  state: { h: {}, c: {} },
  step(x, { h = [], c = [] }, w) {
    const i = affine(w, "i", x, h).map(sigmoid);
    const f = affine(w, "f", x, h).map(sigmoid);
    const g = affine(w, "g", x, h).map(Math.tanh);
    const o = affine(w, "o", x, h).map(sigmoid);
    const cell = remember(i, f, g, c);
    return { state: { h: show(o, cell), c: cell }, gates: { i, f, g, o } };
  },
};

const lstmPeephole: Reference = {
  state: { h: {}, c: {} },
  step(x, { h = [], c = [] }, w) {
    const peep = (gate: string, cell: Vector): Vector => units((p, c) => p * c, w.vector(`p.${gate}`), cell);
    const i = plus(affine(w, "i", x, h), peep("i", c)).map(sigmoid);
    const f = plus(affine(w, "f", x, h), peep("f", c)).map(sigmoid);
    const g = affine(w, "g", x, h).map(Math.tanh);
    const cell = remember(i, f, g, c);
    const o = plus(affine(w, "o", x, h), peep("o", cell)).map(sigmoid);
    return { state: { h: show(o, cell), c: cell }, gates: { i, f, g, o } };
  },
};

const lstmCoupled: Reference = {
  state: { h: {}, c: {} },
  step(x, { h = [], c = [] }, w) {
    const i = affine(w, "i", x, h).map(sigmoid);
    const f = i.map((v) => 1 - v);
    const g = affine(w, "g", x, h).map(Math.tanh);
    const o = affine(w, "o", x, h).map(sigmoid);
    const cell = remember(i, f, g, c);
    return { state: { h: show(o, cell), c: cell }, gates: { i, f, g, o } };
  },
};

/** Of this width. */
export const projectionSize = 3;

const lstmp: Reference = {
  state: { h: { width: projectionSize }, c: {} },
  step(x, state, w) {
    const { state: next, gates } = lstm.step(x, state, w);
    return { state: { h: dot(w.matrix("P"), next["h"]!), c: next["c"]! }, gates };
  },
};

const lstmLayerNorm: Reference = {
  state: { h: {}, c: {} },
  step(x, { h = [], c = [] }, w) {
    const names = ["i", "f", "g", "o"];
    const Wx = normalize(names.map((gate) => dot(w.matrix(`W.${gate}`), x)));
    const Uh = normalize(names.map((gate) => dot(w.matrix(`U.${gate}`), h)));
    const sums = names.map(
      (gate, k) =>
      units(
        (wx, aw, uh, au, b) => wx * aw + uh * au + b,
        Wx[k]!, w.vector(`alphaW.${gate}`), Uh[k]!, w.vector(`alphaU.${gate}`), w.vector(`b.${gate}`),
      ), // prettier-ignore
    );
    const [i, f, g, o] = sums.map((v, k) => v.map(k === 2 ? Math.tanh : sigmoid)) as [
      Vector,
      Vector,
      Vector,
      Vector,
    ];
    const cell = remember(i, f, g, c);
    const shown = units((n, a, b) => n * a + b, normalize([cell])[0]!, w.vector("alphaC"), w.vector("betaC"));
    return { state: { h: show(o, shown), c: cell }, gates: { i, f, g, o } };
  },
};

const gru: Reference = {
  state: { h: {} },
  step(x, { h = [] }, w) {
    const r = affine(w, "r", x, h).map(sigmoid);
    const z = affine(w, "z", x, h).map(sigmoid);
    const recurrent = plus(dot(w.matrix("U.n"), h), w.vector("d"));
    const n = units(
      (wx, b, r, u) => Math.tanh(wx + b + r * u),
      dot(w.matrix("W.n"), x),
      w.vector("b.n"),
      r,
      recurrent,
    );
    return { state: { h: units((z, n, h) => (1 - z) * n + z * h, z, n, h) }, gates: { r, z, n } };
  },
};

const gruResetBefore: Reference = {
  state: { h: {} },
  step(x, { h = [] }, w) {
    const r = affine(w, "r", x, h).map(sigmoid);
    const z = affine(w, "z", x, h).map(sigmoid);
    const reset = units((r, h) => r * h, r, h);
    const n = affine(w, "n", x, reset).map(Math.tanh);
    return { state: { h: units((z, n, h) => z * h + (1 - z) * n, z, n, h) }, gates: { r, z, n } };
  },
};

const rnn = (activation: (v: number) => number): Reference => ({
  state: { h: {} },
  step(x, { h = [] }, w) {
    const next = affine(w, "h", x, h).map(activation);
    return { state: { h: next }, gates: { h: next } };
  },
});

const mgu: Reference = {
  state: { h: {} },
  step(x, { h = [] }, w) {
    const f = affine(w, "f", x, h).map(sigmoid);
    const forgotten = units((f, h) => f * h, f, h);
    const n = affine(w, "n", x, forgotten).map(Math.tanh);
    return { state: { h: units((f, n, h) => (1 - f) * h + f * n, f, n, h) }, gates: { f, n } };
  },
};

const indrnn: Reference = {
  state: { h: {} },
  step(x, { h = [] }, w) {
    const next = units(
      (wx, u, h, b) => relu(wx + u * h + b),
      dot(w.matrix("W.h"), x),
      w.vector("u"),
      h,
      w.vector("b.h"),
    );
    return { state: { h: next }, gates: { h: next } };
  },
};

const minGru: Reference = {
  state: { h: {} },
  step(x, { h = [] }, w) {
    const z = plus(dot(w.matrix("W.z"), x), w.vector("b.z")).map(sigmoid);
    const n = plus(dot(w.matrix("W.n"), x), w.vector("b.n"));
    return { state: { h: units((z, n, h) => (1 - z) * h + z * n, z, n, h) }, gates: { z, n } };
  },
};

const minLstm: Reference = {
  state: { h: {} },
  step(x, { h = [] }, w) {
    const f = plus(dot(w.matrix("W.f"), x), w.vector("b.f")).map(sigmoid);
    const i = plus(dot(w.matrix("W.i"), x), w.vector("b.i")).map(sigmoid);
    const n = plus(dot(w.matrix("W.n"), x), w.vector("b.n"));
    const keep = units((f, i) => f / (f + i), f, i);
    const write = units((f, i) => i / (f + i), f, i);
    const next = units((f, i, n, h) => f * h + i * n, keep, write, n, h);
    return { state: { h: next }, gates: { f: keep, i: write, n } };
  },
};

const slstm = (forget: "sigmoid" | "exp"): Reference => ({
  state: { h: {}, c: {}, n: {}, m: { initial: -Infinity } },
  step(x, { h = [], c = [], n = [], m = [] }, w) {
    const iTilde = affine(w, "i", x, h);
    const fTilde = affine(w, "f", x, h);
    const z = affine(w, "z", x, h).map(Math.tanh);
    const o = affine(w, "o", x, h).map(sigmoid);
    const logF = fTilde.map((v) => (forget === "exp" ? v : Math.log(sigmoid(v))));
    const mNext = units((f, m, i) => Math.max(f + m, i), logF, m, iTilde);
    const i = units((i, m) => Math.exp(i - m), iTilde, mNext);
    const f = units((f, before, m) => Math.exp(f + before - m), logF, m, mNext);
    const cNext = units((f, c, i, z) => f * c + i * z, f, c, i, z);
    const nNext = units((f, n, i) => f * n + i, f, n, i);
    const hNext = units((o, c, n) => o * (c / n), o, cNext, nNext);
    return { state: { h: hNext, c: cNext, n: nNext, m: mNext }, gates: { i, f, z, o } };
  },
});

/** sLSTM before it is stabilised, equations 8 to 14: the same h, as long as exp doesn't overflow. */
export const slstmUnstabilised = (forget: "sigmoid" | "exp"): Reference => ({
  state: { h: {}, c: {}, n: {} },
  step(x, { h = [], c = [], n = [] }, w) {
    const i = affine(w, "i", x, h).map(Math.exp);
    const f = affine(w, "f", x, h).map(forget === "exp" ? Math.exp : sigmoid);
    const z = affine(w, "z", x, h).map(Math.tanh);
    const o = affine(w, "o", x, h).map(sigmoid);
    const cNext = units((f, c, i, z) => f * c + i * z, f, c, i, z);
    const nNext = units((f, n, i) => f * n + i, f, n, i);
    const hNext = units((o, c, n) => o * (c / n), o, cNext, nNext);
    return { state: { h: hNext, c: cNext, n: nNext }, gates: { i, f, z, o } };
  },
});

export const references = {
  lstm,
  lstmPeephole,
  lstmCoupled,
  lstmp,
  lstmLayerNorm,
  gru,
  gruResetBefore,
  rnnTanh: rnn(Math.tanh),
  rnnRelu: rnn(relu),
  mgu,
  indrnn,
  minGru,
  minLstm,
  slstm: slstm("sigmoid"),
  "slstm, exp": slstm("exp"),
} satisfies Record<string, Reference>;
