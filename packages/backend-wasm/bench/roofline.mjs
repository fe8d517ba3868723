// What this core could do and what the workloads do, in one run, a round of each in turn: `node bench/roofline.mjs [seconds]`.
// Peak: multiplications and additions of 128 bits that wait for nothing; reading: sums of 128-bit loads over blocks that fit the first
// and second cache, the third, and none. Build the package first. Best of all rounds, since whatever else runs here only adds time.
import { createModel, gradientSync, lstm, recurrent, stack } from "@recurra/core";

/** @type {typeof import("../src/assembler.ts")} */
const { Assembler, V128, add, less, repeat, sub } = await import(
  new URL("../dist/assembler.js", import.meta.url).href
);
/** @type {typeof import("../src/instructions/v128.ts")} */
const v = await import(new URL("../dist/instructions/v128.js", import.meta.url).href);
/** @type {typeof import("../src/index.ts")} */
const { openWasm } = await import(new URL("../dist/index.js", import.meta.url).href);

/** T, B, I, H, as in the benchmark. @type {Record<string, [number, number, number, number]>} */
const workloads = {
  A: [1, 1, 64, 128],
  B: [50, 1, 10, 20],
  C: [100, 1, 128, 128],
  D: [100, 1, 512, 512],
  E: [100, 32, 128, 256],
  F: [28, 128, 28, 128],
  G: [64, 64, 512, 512],
};

/**
 * @typedef {{ peak(turns: number): void, read(from: number, to: number): void }} Probes
 * @typedef {{
 *   validate(bytes: Uint8Array): boolean,
 *   Memory: new (limits: object) => object,
 *   Module: new (bytes: Uint8Array) => object,
 *   Instance: new (module: object, imports: object) => { exports: Probes },
 * }} Platform
 */
const { WebAssembly } = /** @type {{ WebAssembly: Platform }} */ (/** @type {unknown} */ (globalThis));
const relaxed = WebAssembly.validate(probes(true));

/** @typedef {import("../src/assembler.ts").Local} Local */

/** @param {boolean} fused */
function probes(fused) {
  const assembler = new Assembler();
  const peak = assembler.routine(1, (parameters, locals, local) => {
    const turns = parameters[0];
    // More than wait for each other: four cycles of two fused ones.
    const list = [...Array(12).keys()];
    const [x, y] = locals(V128);
    const sums = list.map(() => local(V128));
    return [
      x.set(v.load(0)),
      y.set(v.load(16)),
      repeat([sums.map((sum) => sum.set(v.madd(fused)(x, y, sum))), turns.set(sub(turns, 1))], turns),
      sums.map((sum, i) => v.store(64, sum, 16 * i)),
    ];
  });
  // Six loads a turn, or-ed together: more would spill registers, and what arithmetic there is doesn't limit it.
  const read = assembler.routine(2, (parameters, _, local) => {
    const [from, to] = parameters;
    const list = [...Array(6).keys()];
    const sums = list.map(() => local(V128));
    return [
      repeat(
        [sums.map((sum, i) => sum.set(v.or(sum, v.load(from, 16 * i)))), from.set(add(from, 96))],
        less(from, to),
      ),
      sums.map((sum, i) => v.store(64, sum, 16 * i)),
    ];
  });
  assembler.export("peak", peak);
  assembler.export("read", read);
  return assembler.bytes();
}

const memory = new WebAssembly.Memory({ initial: 1200, maximum: 65536 });
const { peak, read } = new WebAssembly.Instance(new WebAssembly.Module(probes(relaxed)), { m: { m: memory } })
  .exports;

const backend = await openWasm();
/** Name → [work, a call]. Work: floating-point operations, or bytes. @type {Map<string, [number, () => unknown]>} */
const runs = new Map();
const turns = 100_000;
runs.set("peak", [turns * 12 * 8, () => peak(turns)]);
const levels = {
  "first cache": 24_576,
  "second cache": 589_824,
  "third cache": 6_291_456,
  memory: 66_060_288,
};
for (const [name, bytes] of Object.entries(levels)) {
  const times = Math.max(1, (8 << 20) / bytes);
  runs.set(name, [bytes * times, () => { for (let i = 0; i < times; i++) read(4096, 4096 + bytes); }]); // prettier-ignore
}
for (const [name, [T, B, I, H]] of Object.entries(workloads)) {
  const model = createModel(stack(recurrent(lstm, { inputSize: I, hiddenSize: H })), backend, { seed: 1 });
  const x = { shape: [T, B, I], data: Float32Array.from({ length: T * B * I }, (_, i) => Math.sin(i)) };
  const flops = 2 * 4 * H * (I + H) * T * B;
  if (name === "A") {
    const stream = model.stream();
    const into = new Float32Array(H);
    runs.set(name, [flops * 100, () => { for (let i = 0; i < 100; i++) stream.step(x.data, into); }]); // prettier-ignore
  } else runs.set(name, [flops, () => model.runSync(x)]);
  if (name === "F" || name === "C") {
    const { output } = model.runSync(x);
    runs.set(`${name} gradient`, [3 * flops, () => gradientSync(model, x, { output })]);
  }
}

/** @type {Map<string, number>} */
const best = new Map();
const rateOf = (/** @type {string} */ name) => best.get(name) ?? 0;
const end = performance.now() + 1000 * Number(process.argv[2] ?? 20);
for (let round = 0; round < 3 || performance.now() < end; round++)
  for (const [name, [work, call]] of runs) {
    // Short ones several times, so that the clock sees them.
    const begun = performance.now();
    let calls = 0;
    do {
      const before = performance.now();
      call();
      const rate = work / (performance.now() - before) / 1e6;
      best.set(name, Math.max(rateOf(name), rate));
    } while (++calls < 50 && performance.now() - begun < 20);
  }

console.log(`Node ${process.versions.node}, ${relaxed ? "relaxed" : "baseline"} SIMD`);
for (const [name, rate] of best) {
  const sizes = workloads[name.charAt(0)];
  if (!sizes) {
    console.log(`${name.padEnd(14)} ${rate.toFixed(1)} ${name === "peak" ? "GFLOP/s" : "GB/s"}`);
    continue;
  }
  const [T, B, I, H] = sizes;
  // With one row every weight is read for one multiplication: by how fast it comes from where it lies the rest is bounded.
  const weights = 16 * H * (H + (T === 1 ? I : 0));
  const level = weights < 32 << 10 ? "first cache" : weights < 900 << 10 ? "second cache" : "third cache";
  const bound =
    B === 1
      ? `; weights from the ${level}: ${((100 * rate * 2) / rateOf(level)).toFixed(0)}% of its bandwidth`
      : "";
  console.log(
    `${name.padEnd(14)} ${rate.toFixed(1)} GFLOP/s, ${((100 * rate) / rateOf("peak")).toFixed(0)}% of peak${bound}`,
  );
}
backend.dispose();
