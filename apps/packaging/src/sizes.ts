// What a page ships: the budgets of a few programs, and what must not be in those that only infer.
import { readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { bundle, type Bundle } from "./bundle.ts";
import { assert, check } from "./check.ts";

/** A page that runs and streams an LSTM. */
const program = (imported: string, opened: string, run: string): string => `
import { createModel, lstm, recurrent, stack } from "@recurra/core";
import ${imported};

const network = stack(recurrent(lstm, { inputSize: 10, hiddenSize: 20 }));
export const model = createModel(network, ${opened}, { seed: 1 });
export const run = (x) => model.${run}(x);
export const stream = model.stream();
export const step = (frame, into) => stream.step(frame, into);
`;

const inference = program('{ openCpu } from "@recurra/backend-cpu"', "openCpu()", "runSync");
const onWasm = program('{ openWasm } from "@recurra/backend-wasm"', "await openWasm()", "runSync");
const onGpuJs = program('{ openGpuJs } from "@recurra/backend-gpujs"', "await openGpuJs()", "run");

const withGradient = `${inference}
import { gradientSync } from "@recurra/core";
export const gradient = (...args) => gradientSync(model, ...args);
`;

interface Budget {
  /** Bytes, gzipped: where we want to be. */
  readonly target: number;
  /** Where we are, so that it doesn't grow unseen (docs/decisions/0004-bundle-size.md). Lower it with every saving. */
  readonly ceiling: number;
}

const budgets = {
  inference: { target: 15_000, ceiling: 17_200 },
  gradient: { target: 20_000, ceiling: 20_000 },
  wasm: { target: 25_000, ceiling: 25_000 },
  gpujs: { target: 25_000, ceiling: 25_000 },
} as const;

/** Parts of core, a file or a folder each, that a page which only infers doesn't ship. */
const absent = ["adjoint", "oracle", "verify", "explain"];

/** @param folder where the packages are installed */
export async function checkSizes(folder: string): Promise<void> {
  const core = join(folder, "node_modules", "@recurra", "core", "dist");
  const partsOf = (files: readonly string[]): string[] =>
    absent.filter((part) => files.some((file) => file.split(/[\\/]/).some((name) => name.startsWith(part))));

  await check("core has an adjoint, an oracle, a verifier and an explain to leave out", () => {
    const found = partsOf(readdirSync(core, { recursive: true, encoding: "utf8" }));
    assert(
      found.length === absent.length,
      `of ${absent.join(", ")} core's files only show ${found.join(", ")}`,
    );
  });

  await check("core + CPU + lstm that runs and streams", async () => {
    const made = await make(folder, "inference.js", inference);
    const found = partsOf(made.modules.map((id) => relative(core, id)));
    assert(found.length === 0, `expected none of ${absent.join(", ")}; got ${found.join(", ")}`);
    return size(made, budgets.inference);
  });

  await check("the same with gradients", async () => {
    const made = await make(folder, "gradient.js", withGradient);
    const found = partsOf(made.modules.map((id) => relative(core, id)));
    assert(found.includes("adjoint"), "expected the adjoint in the bundle");
    return size(made, budgets.gradient);
  });

  await check("core + WASM + lstm that runs and streams", async () => {
    const made = await make(folder, "wasm.js", onWasm);
    const found = partsOf(made.modules.map((id) => relative(core, id)));
    assert(found.length === 0, `expected none of ${absent.join(", ")}; got ${found.join(", ")}`);
    assert(made.files.size === 3, `expected a file, one for threads, one for int8; got ${made.files.size}`);
    assert(made.atOnce === 1, `expected nothing that those share, got ${made.atOnce - 1} files of it`);
    return size(made, budgets.wasm);
  });

  await check("core + gpu.js + lstm that runs and streams, without gpu.js itself", async () => {
    const made = await make(folder, "gpujs.js", onGpuJs, ["gpu.js"]);
    const found = partsOf(made.modules.map((id) => relative(core, id)));
    assert(found.length === 0, `expected none of ${absent.join(", ")}; got ${found.join(", ")}`);
    const { gzipped } = await make(folder, "gpujs.js", onGpuJs);
    return `${size(made, budgets.gpujs)}; gpu.js is ${kB(gzipped - made.gzipped)} more`;
  });
}

function make(
  folder: string,
  entry: string,
  source: string,
  external: readonly string[] = [],
): Promise<Bundle> {
  writeFileSync(join(folder, entry), source);
  return bundle(folder, entry, external);
}

function size({ minified, gzipped, modules }: Bundle, { target, ceiling }: Budget): string {
  const gap =
    gzipped > target
      ? `, ${kB(gzipped - target)} over the target of ${kB(target)}`
      : `, target ${kB(target)}`;
  const found = `${kB(minified)} minified, ${kB(gzipped)} gzipped${gap}; ${String(modules.length)} modules`;
  assert(gzipped <= ceiling, `expected at most ${kB(ceiling)}, got ${found}`);
  return found;
}

const kB = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
