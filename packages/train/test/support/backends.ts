/** The backends that training is tested on, and what it is tested with. */
import { openCpu } from "@recurra/backend-cpu";
import { openWasm } from "@recurra/backend-wasm";
import type { SyncBackend } from "@recurra/core";

export const backends: readonly (readonly [string, () => SyncBackend | Promise<SyncBackend>])[] = [
  ["cpu", (): SyncBackend => openCpu()],
  ["wasm", (): Promise<SyncBackend> => openWasm()],
];

export { numbers } from "../../../core/test/support/expected.ts";
