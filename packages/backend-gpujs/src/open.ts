/** The gpu.js backend. */
import { mapLimits, type Backend } from "@recurra/core";
import { accuracy } from "./accuracy.ts";
import { Device } from "./device.ts";
import { fail, kindOf } from "./errors.ts";
import type { Mode } from "./gpujs.ts";
import { prepareKernel } from "./kernel.ts";
import { Memory } from "./memory.ts";
import { chooseMode, openGpu } from "./mode.ts";

export interface GpuJsOptions {
  /**
   * Where kernels run: "webgl2" or "webgl" in browsers, "headlessgl" in Node. Default: the best that the platform has. Never another
   * one than asked for. gpu.js's other modes aren't offered yet.
   */
  readonly mode?: Mode;
}

/**
 * Open the gpu.js backend; its name says which mode runs, `gpujs(webgl2)`.
 * @throws RecurraError UNSUPPORTED where the mode can't run, with what is missing and what to do
 */
export async function openGpuJs(options: GpuJsOptions = {}): Promise<Backend> {
  return (await openDevice(options)).backend;
}

/** The same, with its device: tests look at what it counts. */
export async function openDevice(options: GpuJsOptions): Promise<{ backend: Backend; device: Device }> {
  if (Object(options) !== options)
    fail("INVALID_ARGUMENT", `openGpuJs: expected options such as { mode }, got ${kindOf(options)}`);
  const mode = await chooseMode(options.mode);
  if (mode === "cpu" || mode === "webasm" || mode === "webgpu")
    fail(
      "UNSUPPORTED",
      `openGpuJs: expected a mode with textures (webgl2, webgl, headlessgl), got ${mode}, which isn't offered yet; use openWasm() of @recurra/backend-wasm or openCpu() of @recurra/backend-cpu`,
    );
  const device = new Device(openGpu(mode), mode);
  const memory = new Memory(device);
  const backend: Backend = {
    name: `gpujs(${mode})`,
    limits: { maps: mapLimits({ inputs: device.inputs, outputs: device.outputs }), rows: device.size },
    accuracy,
    inPlace: false,
    projection: "before",
    alloc: (length) => memory.alloc(length),
    free: (buffer) => memory.free(buffer),
    write: (buffer, data, offset) => memory.write(buffer, data, offset),
    read: async (buffer, into, offset) => memory.read(buffer, into, offset),
    prepare: (kernel) => prepareKernel(device, memory, kernel),
    dispose: () => memory.dispose(),
  };
  return { backend, device };
}
