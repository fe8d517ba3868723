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
  const output = graph.outputs.get("output");
  if (!output) throw new Error("a stack has an output");
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

const turns = workloads.map(({ name, network, loss, target }) => {
  const model = createModel(network, backend, { seed: 1 });
  const trainer = createTrainer(model, { loss, optimizer: adam() });
  const alone = bare(createModel(network, backend, { seed: 1 }));
  const best = { step: Infinity, alone: Infinity, forward: Infinity };
  const time = async (/** @type {keyof typeof best} */ which, /** @type {() => unknown} */ run) => {
    const start = performance.now();
    await run();
    best[which] = Math.min(best[which], performance.now() - start);
  };
  const turn = async () => {
    await time("step", () => trainer.step({ x, target }));
    await time("alone", alone);
    await time("forward", () => model.runSync(x, { output: "last" }));
  };
  return { name, best, turn };
});
const end = performance.now() + 1000 * seconds;
while (performance.now() < end) for (const { turn } of turns) await turn();
for (const { name, best } of turns) {
  const line = (/** @type {string} */ what, /** @type {number} */ ms, /** @type {number} */ work) =>
    console.log(
      `${name} ${what}`.padEnd(32),
      `${ms.toFixed(3)} ms`,
      `${((flops * work) / ms / 1e6).toFixed(1)} GFLOP/s`,
    );
  line("step", best.step, 3);
  line("forward and backward alone", best.alone, 3);
  line("forward", best.forward, 1);
  const share = (100 * (1 - best.alone / best.step)).toFixed(1);
  const speed = ((3 * best.forward) / best.step).toFixed(2);
  console.log(`${name}: loss, optimizer and data ${share}% of a step; ${speed} of the forward's GFLOP/s`);
}
backend.dispose();
