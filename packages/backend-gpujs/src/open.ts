/** The gpu.js backend. */
import type { Backend } from "@recurra/core";
import { fail, kindOf } from "./errors.ts";
import type { Mode } from "./gpujs.ts";
import { chooseMode, openGpu } from "./mode.ts";

export interface GpuJsOptions {
  /**
   * Where kernels run: "webgl2" or "webgl" in browsers, "headlessgl" in Node, "webgpu" where there is an adapter; "cpu" and "webasm"
   * of gpu.js, only when asked for. Default: the best of the platform's GPU modes. Never another one than asked for.
   */
  readonly mode?: Mode;
}

/**
 * Open the gpu.js backend; its name says which mode runs, `gpujs(webgl2)`.
 * @throws RecurraError UNSUPPORTED where the mode can't run, with what is missing and what to do
 */
export async function openGpuJs(options: GpuJsOptions = {}): Promise<Backend> {
  if (Object(options) !== options)
    fail("INVALID_ARGUMENT", `openGpuJs: expected options such as { mode }, got ${kindOf(options)}`);
  const mode = await chooseMode(options.mode);
  openGpu(mode);
  return fail("UNSUPPORTED", `openGpuJs: mode ${mode} isn't written yet`);
}
