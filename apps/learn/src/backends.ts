// The backends that the tasks are learned on.
import type { Backend } from "@recurra/core";

/** Imported when asked for. */
export const backends: Readonly<Record<string, () => Promise<Backend>>> = {
  wasm: async () => (await import("@recurra/backend-wasm")).openWasm(),
  cpu: async () => (await import("@recurra/backend-cpu")).openCpu(),
};
