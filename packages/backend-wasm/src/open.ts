/** The WASM backend: SIMD emitted from the program, the time loop inside. */
import type { SyncBackend } from "@recurra/core";
import { accuracy } from "./accuracy.ts";
import { Engine } from "./engine.ts";
import { fail, kindOf } from "./errors.ts";
import { prepareKernel } from "./kernel.ts";
import { Memory } from "./memory.ts";
import { loadPrebuilt, type ModuleSource } from "./prebuilt.ts";
import { prepareProgram } from "./program.ts";

export interface WasmOptions {
  /**
   * A module made ahead of time: `@recurra/backend-wasm/prebuilt.wasm`, or `prebuilt-relaxed.wasm` for engines with relaxed SIMD; its
   * address, what was fetched from there, or a `WebAssembly.Module`. It runs every cell; those that Recurra ships at full speed.
   */
  readonly module?: ModuleSource;
}

/**
 * Open the WASM backend; it is synchronous once it is open.
 * @throws RecurraError UNSUPPORTED without WebAssembly or its SIMD, or where a policy forbids it; OUT_OF_MEMORY
 */
export async function openWasm(options: WasmOptions = {}): Promise<SyncBackend> {
  if (Object(options) !== options)
    fail("INVALID_ARGUMENT", `openWasm: expected options such as { module }, got ${kindOf(options)}`);
  const { module } = options;
  const memory = new Memory();
  const engine = new Engine(memory, module === undefined ? undefined : await loadPrebuilt(module));
  return {
    name: "wasm",
    limits: { rows: Infinity },
    accuracy,
    inPlace: true,
    projection: "before",
    alloc: (length) => memory.alloc(length),
    free: (buffer) => memory.free(buffer),
    write: (buffer, data, offset) => memory.write(buffer, data, offset),
    read: async (buffer, into, offset) => memory.read(buffer, into, offset),
    readSync: (buffer, into, offset) => memory.read(buffer, into, offset),
    prepare(kernel) {
      memory.check();
      return prepareKernel(engine, kernel);
    },
    prepareProgram(program) {
      memory.check();
      return prepareProgram(engine, program);
    },
    dispose: () => memory.dispose(),
  };
}
