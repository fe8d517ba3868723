/** The WASM backend: SIMD emitted from the program, the time loop inside. */
import type { PreparedProgram, Program, SyncBackend } from "@recurra/core";
import { accuracy } from "./accuracy.ts";
import { openEngine, type Engine } from "./engine.ts";
import { fail, kindOf } from "./errors.ts";
import type * as Format8 from "./format8.ts";
import { prepareKernel } from "./kernel.ts";
import { openMemory } from "./memory.ts";
import { loadPrebuilt, type ModuleSource, type Prebuilt } from "./prebuilt.ts";
import { prepareProgram } from "./program.ts";
import { writeScript } from "./script.ts";
import type { Crew, Given } from "./team.ts";

export interface WasmOptions {
  /**
   * A module made ahead of time: `@recurra/backend-wasm/prebuilt.wasm`, or `prebuilt-relaxed.wasm` for engines with relaxed SIMD; its
   * address, what was fetched from there, or a `WebAssembly.Module`. It runs every cell; those that Recurra ships at full speed.
   */
  readonly module?: ModuleSource;
  /**
   * Threads, 1 to 64, of which this is one: workers over shared memory, with the bits of one thread. Default: 1. In a page it needs
   * cross-origin isolation; where threads can't be had, a warning says why, and `name` is "wasm" rather than "wasm(threads=2)".
   * Programs that are too small for several run on one. A page's main thread may not sleep, and spins while it waits.
   */
  readonly threads?: number;
  /** Let models hold their weights in int8, `createModel(network, backend, { weights: "int8" })`; on one thread. Default: false. */
  readonly int8?: boolean;
}

/** What threads are given. */
export const given: Given = { openMemory, writeScript, fail };

/**
 * Open the WASM backend; it is synchronous once it is open.
 * @throws RecurraError UNSUPPORTED without WebAssembly or its SIMD, or where a policy forbids it; OUT_OF_MEMORY
 */
export async function openWasm(options: WasmOptions = {}): Promise<SyncBackend> {
  const { module, threads = 1, int8 = false, ...more } = Object(options) as WasmOptions;
  const wrong = Object(options) === options ? Object.keys(more)[0] : kindOf(options);
  if (wrong !== undefined)
    fail("INVALID_ARGUMENT", `openWasm: expected options among module, threads, int8, got ${wrong}`);
  if (!(Number.isInteger(threads) && threads > 0 && threads <= 64))
    fail("INVALID_ARGUMENT", `openWasm: expected threads, a whole number from 1 to 64, got ${threads}`);
  const prebuilt = module === undefined ? undefined : await loadPrebuilt(module);
  const crew =
    threads > 1
      ? await import("./threads/start.ts").then(({ startCrew }) => startCrew(given, threads, prebuilt))
      : undefined;
  const format = int8 ? await import("./format8.ts") : undefined;
  try {
    return open(prebuilt, crew, format);
  } catch (error) {
    crew?.dispose();
    throw error;
  }
}

/** With a crew, or alone; with int8 weights on offer, or not. */
export function open(prebuilt: Prebuilt | undefined, crew?: Crew, format?: typeof Format8): SyncBackend {
  const memory = crew?.memory ?? openMemory();
  const { alloc, free, write, read, check } = memory;
  const engine = openEngine(memory, prebuilt, crew, format);
  const preparing =
    (weights?: Engine["format"]) =>
    (program: Program): PreparedProgram => {
      check();
      return prepareProgram(engine, program, weights);
    };
  const float32: SyncBackend = {
    name: crew ? `wasm(threads=${crew.threads})` : "wasm",
    limits: { rows: Infinity },
    accuracy,
    inPlace: true,
    projection: "before",
    alloc,
    free,
    write,
    read: async (...args) => read(...args),
    readSync: read,
    prepare(kernel) {
      check();
      return prepareKernel(engine, kernel);
    },
    prepareProgram: preparing(),
    dispose() {
      crew?.dispose();
      memory.dispose();
    },
  };
  // Threads share out what is in float32 alone.
  return format && !crew
    ? { ...float32, weights: { int8: format.inInt8(float32, preparing(engine.format), fail) } }
    : float32;
}
