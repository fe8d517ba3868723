export type { Mode } from "./gpujs.ts";
export { openGpuJs, type GpuJsOptions } from "./open.ts";
