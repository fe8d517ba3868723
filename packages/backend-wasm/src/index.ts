export { openWasm, type WasmOptions } from "./open.ts";
export type { ModuleSource } from "./prebuilt.ts";
