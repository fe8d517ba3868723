/* eslint-disable @typescript-eslint/ban-ts-comment */
// @ts-nocheck: plain loops over arrays, as a user would write them in JavaScript.
// Times the kernels at the benchmark's shapes against naive loops, interleaved in one process.
//   node packages/backend-cpu/bench/kernels.mjs [part of a name]       (after a build)
import { openCpu } from "@recurra/backend-cpu";

const cpu = openCpu();
const only = process.argv[2] ?? "";

const buffer = (length) => {
  const made = cpu.alloc(length);
  cpu.write(
    made,
    Float32Array.from({ length }, () => Math.random() - 0.5),
    0,
  );
  return made;
};
const view = (made, rowStride, offset = 0, columnStride = 1) => ({
  buffer: made,
  offset,
  rowStride,
  columnStride,
  stepStride: 0,
  slots: 1,
});

/** Milliseconds a call of each: the least of many short samples, interleaved, so that other work on the machine counts for little. */
function times(calls) {
  const sample = (call, count) => {
    const start = performance.now();
    for (let n = 0; n < count; n++) call();
    return (performance.now() - start) / count;
  };
  for (const call of calls) {
    for (const start = performance.now(); performance.now() - start < 200;) call();
  }
  const counts = calls.map((call) => Math.max(1, Math.floor(0.2 / sample(call, 3))));
  const best = calls.map(() => Infinity);
  for (const start = performance.now(); performance.now() - start < 800;) {
    calls.forEach((call, i) => (best[i] = Math.min(best[i], sample(call, counts[i]))));
  }
  return best;
}

function report(name, work, unit, [naive, ours]) {
  const rate = (ms) => (work / ms / 1e6).toFixed(2).padStart(6);
  const text = `${rate(ours)} ${unit}, naive ${rate(naive)}, ${(naive / ours).toFixed(2)} times as fast`;
  console.log(`${name.padEnd(34)} ${ours.toFixed(4).padStart(9)} ms ${text}`);
}

/** `kind`: NT (forward), NN (backward data), TN (weight gradient, `depth` rows). */
function gemm(name, kind, rows, depth, width) {
  if (!`gemm ${name}`.includes(only)) return;
  const [a, b, addend, out] = [rows * depth, depth * width, width, rows * width].map(buffer);
  const transposed = kind === "TN";
  const across = kind === "NT";
  const term = { a: 1, b: 2, transposeA: transposed, transposeB: across, depth: transposed ? "rows" : depth };
  const kernel = { op: "gemm", rows: transposed ? rows : "rows", width, addend: true, terms: [term] };
  const views = [
    view(addend, 0),
    view(a, transposed ? rows : depth),
    view(b, across ? depth : width),
    view(out, width),
  ];
  const bound = cpu.prepare(kernel).bind(transposed ? depth : rows, views);

  const [A, B, C, D] = [a, b, addend, out].map(({ length }) => new Float32Array(length));
  [A, B, C].forEach((array, i) => cpu.readSync([a, b, addend][i], array, 0));
  const naive = { NT: naiveNT, NN: naiveNN, TN: naiveTN }[kind];
  report(
    `gemm ${name}`,
    2 * rows * depth * width,
    "GFLOP/s",
    times([() => naive(A, B, C, D, rows, depth, width), () => bound.run(0)]),
  );
}

function naiveNT(a, b, c, d, rows, depth, width) {
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < width; j++) {
      let sum = c[j];
      for (let k = 0; k < depth; k++) sum += a[r * depth + k] * b[j * depth + k];
      d[r * width + j] = sum;
    }
  }
}

function naiveNN(a, b, c, d, rows, depth, width) {
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < width; j++) d[r * width + j] = c[j];
    for (let k = 0; k < depth; k++) {
      for (let j = 0; j < width; j++) d[r * width + j] += a[r * depth + k] * b[k * width + j];
    }
  }
}

function naiveTN(a, b, c, d, rows, depth, width) {
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < width; j++) d[r * width + j] = c[j];
  }
  for (let k = 0; k < depth; k++) {
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < width; j++) d[r * width + j] += a[k * rows + r] * b[k * width + j];
    }
  }
}

/** The LSTM's cell pass from stacked gates, keeping what the adjoint needs. */
function lstm(rows, hidden) {
  if (!`map lstm ${rows} x ${hidden}`.includes(only)) return;
  const of = (fn, ...args) => ({ fn, args });
  const [input, result] = [(i) => ({ input: i }), (i) => ({ result: i })];
  const kernel = {
    op: "map",
    width: hidden,
    inputs: 5,
    instructions: [
      of("sigmoid", input(0)),
      of("sigmoid", input(1)),
      of("tanh", input(2)),
      of("sigmoid", input(3)),
      of("times", result(1), input(4)),
      of("times", result(0), result(2)),
      of("plus", result(4), result(5)),
      of("tanh", result(6)),
      of("times", result(3), result(7)),
    ],
    outputs: [6, 8],
  };
  const [gates, c, cNext, h] = [4, 1, 1, 1].map((n) => buffer(n * rows * hidden));
  const slices = [0, 1, 2, 3].map((i) => view(gates, 4 * hidden, i * hidden));
  const bound = cpu
    .prepare(kernel)
    .bind(rows, [...slices, view(c, hidden), view(cNext, hidden), view(h, hidden)]);
  const [G, C, N, H] = [gates, c, cNext, h].map(({ length }) => new Float32Array(length));
  cpu.readSync(gates, G, 0);
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const naive = () => {
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < hidden; j++) {
        const at = r * 4 * hidden + j;
        const next =
          sigmoid(G[at + hidden]) * C[r * hidden + j] + sigmoid(G[at]) * Math.tanh(G[at + 2 * hidden]);
        N[r * hidden + j] = next;
        H[r * hidden + j] = sigmoid(G[at + 3 * hidden]) * Math.tanh(next);
      }
    }
  };
  report(`map lstm ${rows} x ${hidden}`, rows * hidden, "units/ns", times([naive, () => bound.run(0)]));
}

/** What an instruction costs that does next to nothing. */
function overhead() {
  if (!"map overhead".includes(only)) return;
  const instructions = Array.from({ length: 20 }, (_, i) => ({
    fn: "plus",
    args: [i ? { result: i - 1 } : { input: 0 }, { input: 0 }],
  }));
  const bound = cpu
    .prepare({ op: "map", width: 1, inputs: 1, instructions, outputs: [19] })
    .bind(1, [view(buffer(1), 1), view(buffer(1), 1)]);
  const [ms] = times([() => bound.run(0)]);
  console.log(`map, an instruction of one element: ${((ms * 1e6) / 20).toFixed(1)} ns`);
}

gemm("B step NT 1 x 20 x 80", "NT", 1, 20, 80);
gemm("A, C step NT 1 x 128 x 512", "NT", 1, 128, 512);
gemm("D step NT 1 x 512 x 2048", "NT", 1, 512, 2048);
gemm("two rows NT 2 x 128 x 512", "NT", 2, 128, 512);
gemm("three rows NT 3 x 128 x 512", "NT", 3, 128, 512);
gemm("five rows NT 5 x 128 x 512", "NT", 5, 128, 512);
gemm("C before NT 100 x 128 x 512", "NT", 100, 128, 512);
gemm("E step NT 32 x 256 x 1024", "NT", 32, 256, 1024);
gemm("E before NT 512 x 128 x 1024", "NT", 512, 128, 1024);
gemm("F step NT 128 x 128 x 512", "NT", 128, 128, 512);
gemm("F before NT 2048 x 28 x 512", "NT", 2048, 28, 512);
gemm("G step NT 64 x 512 x 2048", "NT", 64, 512, 2048);
gemm("C backward NN 1 x 512 x 128", "NN", 1, 512, 128);
gemm("D backward NN 1 x 2048 x 512", "NN", 1, 2048, 512);
gemm("F backward NN 128 x 512 x 128", "NN", 128, 512, 128);
gemm("G backward NN 64 x 2048 x 512", "NN", 64, 2048, 512);
gemm("F dU TN 512 x 3584 x 128", "TN", 512, 3584, 128);
gemm("F dW TN 512 x 3584 x 28", "TN", 512, 3584, 28);
gemm("F db TN 1 x 3584 x 512", "TN", 1, 3584, 512);
gemm("E dU TN 1024 x 3200 x 256", "TN", 1024, 3200, 256);
lstm(1, 20);
lstm(1, 128);
lstm(32, 256);
lstm(128, 128);
overhead();
