// What a training step takes on WASM, and what of it is loss, optimizer and data: `node bench/step.mjs [seconds]`, after a build.
// H: an LSTM over 28 rows of 28, its last step, a dense layer, cross-entropy, Adam; F: the LSTM alone, to a target at every step.
// Best of all rounds, in turn, since whatever else runs here only adds time.
import { createModel, dense, last, lstm, recurrent, stack } from "@recurra/core";
import { backward, compile, differentiate, execute, prepare } from "@recurra/core/internal";
import { openWasm } from "@recurra/backend-wasm";
import { adam, createTrainer, crossEntropy, meanSquared } from "@recurra/train";

const seconds = Number(process.argv[2] ?? 20);
const [T, B, I, H] = [28, 128, 28, 128];
const flops = 2 * 4 * H * (I + H) * T * B;
const backend = await openWasm();
/** @param {number[]} shape */
const draw = (...shape) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.random() - 0.5),
});
const lstmLayer = recurrent(lstm, { inputSize: I, hiddenSize: H });
const x = draw(T, B, I);

const workloads = [
  {
    name: "H",
    network: stack(lstmLayer, last, dense({ inputSize: H, outputSize: 10 })),
    loss: crossEntropy(),
    target: { shape: [B], data: Int32Array.from({ length: B }, (_, i) => i % 10) },
  },
  { name: "F", network: stack(lstmLayer), loss: meanSquared(), target: draw(T, B, H) },
];

/** Forward and backward alone: from a gradient of the output that lies there, to those of the parameters. */
function bare(/** @type {import("@recurra/core").Model} */ { engine }) {
  const graph = engine.network.build();
  const output = [...graph.outputs.values()][0];
  const domain = output.domain === "batch" ? "batch" : "sequence";
  const { parameters } = differentiate(graph, [[output, graph.input("d", output.width, domain)]]);
  const program = compile(graph, {
    name: "bare",
    outputs: graph.outputs,
    gradients: parameters,
    states: [...graph.states.values()],
    target: backend,
    backward,
  });
  const execution = execute(prepare(program, backend), backend, engine.buffers, T, B);
  execution.writeInput("x", x.data);
  execution.writeInput(
    "last",
    Float32Array.from({ length: B }, (_, b) => (T - 1) * B + b),
  );
  execution.writeInput("d", draw(output.domain === "batch" ? 1 : T, B, output.width).data);
  for (const { name } of graph.states.values()) execution.writeState(name, undefined);
  return () => execution.run(T);
}

const runs = workloads.flatMap(({ name, network, loss, target }) => {
  const model = createModel(network, backend, { seed: 1 });
  const trainer = createTrainer(model, { loss, optimizer: adam() });
  const network2 = bare(createModel(network, backend, { seed: 1 }));
  return [
    { name: `${name} step`, run: () => trainer.step({ x, target }) },
    { name: `${name} forward and backward alone`, run: network2 },
    { name: `${name} forward`, run: () => model.runSync(x, { output: "last" }) },
  ];
});
const best = runs.map(() => Infinity);
const end = performance.now() + 1000 * seconds;
while (performance.now() < end)
  for (const [i, { run }] of runs.entries()) {
    const start = performance.now();
    await run();
    best[i] = Math.min(best[i], performance.now() - start);
  }
for (const [i, { name }] of runs.entries())
  console.log(
    name.padEnd(32),
    `${best[i].toFixed(3)} ms`,
    `${((flops * (i % 3 === 2 ? 1 : 3)) / best[i] / 1e6).toFixed(1)} GFLOP/s`,
  );
for (const i of [0, 3]) {
  const share = 1 - best[i + 1] / best[i];
  const speed = (3 * best[i + 2]) / best[i];
  console.log(
    `${workloads[i / 3].name}: loss, optimizer and data ${(100 * share).toFixed(1)}% of a step; ${speed.toFixed(2)} of the forward's GFLOP/s`,
  );
}
backend.dispose();
