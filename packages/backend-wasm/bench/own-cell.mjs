// A user's own cell beside the shipped one that it copies, a round of each in turn: `node bench/own-cell.mjs [seconds]`. The copies are
// declared as a user would, through the public API, and must give the shipped cells' bits. Build the package first. Medians, and the best.
import {
  cell,
  createModel,
  gru,
  lstm,
  oneMinus,
  recurrent,
  sigmoid,
  stack,
  tanh,
  vector,
} from "@recurra/core";

/** @type {typeof import("../src/index.ts")} */
const { openWasm } = await import(new URL("../dist/index.js", import.meta.url).href);

const ownLstm = cell({
  name: "ownLstm",
  state: ["h", "c"],
  W: ["i", "f", "g", "o"],
  U: ["i", "f", "g", "o"],
  b: ["i", "f", "g", "o"],
  step({ x, h, c, W, U, b }) {
    const i = sigmoid(W.i.dot(x).plus(U.i.dot(h), b.i));
    const f = sigmoid(W.f.dot(x).plus(U.f.dot(h), b.f));
    const g = tanh(W.g.dot(x).plus(U.g.dot(h), b.g));
    const o = sigmoid(W.o.dot(x).plus(U.o.dot(h), b.o));
    const cNext = f.times(c).plus(i.times(g));
    return { h: o.times(tanh(cNext)), c: cNext };
  },
});

const ownGru = cell({
  name: "ownGru",
  state: ["h"],
  W: ["r", "z", "n"],
  U: ["r", "z", "n"],
  b: ["r", "z", "n"],
  weights: { d: vector("H") },
  step({ x, h, W, U, b, d }) {
    const r = sigmoid(W.r.dot(x).plus(U.r.dot(h), b.r));
    const z = sigmoid(W.z.dot(x).plus(U.z.dot(h), b.z));
    const n = tanh(W.n.dot(x).plus(r.times(U.n.dot(h).plus(d)), b.n));
    return { h: oneMinus(z).times(n).plus(z.times(h)) };
  },
});

/** T, B, I, H, as in the benchmark. @type {Record<string, [number, number, number, number]>} */
const workloads = { C: [100, 1, 128, 128], F: [28, 128, 28, 128] };
/** Gates of a cell. */
const gates = { lstm: 4, ownLstm: 4, gru: 3, ownGru: 3 };

const backend = await openWasm();
const seconds = Number(process.argv[2] ?? 10);
const quantile = (/** @type {number[]} */ sorted, /** @type {number} */ q) =>
  sorted[Math.floor(q * (sorted.length - 1))] ?? NaN;

for (const [name, [T, B, I, H]] of Object.entries(workloads)) {
  const x = { shape: [T, B, I], data: Float32Array.from({ length: T * B * I }, (_, i) => Math.sin(i)) };
  const models = [lstm, ownLstm, gru, ownGru].map((of) => ({
    of,
    model: createModel(stack(recurrent(of, { inputSize: I, hiddenSize: H })), backend, { seed: 1 }),
    /** @type {number[]} */
    rates: [],
  }));
  const outputs = models.map(({ model }) => model.runSync(x).output.data);
  for (const [shipped, own] of [
    [0, 1],
    [2, 3],
  ])
    // prettier-ignore
    if (!outputs[shipped ?? 0]?.every((value, i) => Object.is(value, outputs[own ?? 0]?.[i])))
      throw new Error(`${name}: expected the bits of the cell that is copied, got others`);
  const end = performance.now() + (1000 * seconds) / 2;
  // The first rounds warm up.
  for (let round = 0; round < 23 || performance.now() < end; round++)
    for (const { of, model, rates } of models) {
      const before = performance.now();
      model.runSync(x);
      const flops = 2 * gates[/** @type {keyof typeof gates} */ (of.name)] * H * (I + H) * T * B;
      if (round >= 20) rates.push(flops / (performance.now() - before) / 1e6);
    }
  const median = new Map(
    models.map(({ of, rates }) => [of.name, quantile(rates.sort((a, b) => a - b), 0.5)]), // prettier-ignore
  );
  const over = (/** @type {string} */ a, /** @type {string} */ b) =>
    ((median.get(a) ?? NaN) / (median.get(b) ?? NaN)).toFixed(3);
  for (const { of, rates } of models)
    console.log(`${name} ${of.name.padEnd(8)} ${median.get(of.name)?.toFixed(1)} GFLOP/s, best ${quantile(rates, 1).toFixed(1)}`); // prettier-ignore
  console.log(
    `${name} own LSTM / LSTM ${over("ownLstm", "lstm")}, own GRU / GRU ${over("ownGru", "gru")}, GRU / LSTM ${over("gru", "lstm")}`,
  );
}
backend.dispose();
