/** The gpu.js backend. */
import { mapLimits, type Backend } from "@recurra/core";
import { accuracy } from "./accuracy.ts";
import { ArrayDevice } from "./array-device.ts";
import type { Device } from "./device.ts";
import { fail, kindOf } from "./errors.ts";
import { GlDevice } from "./gl-device.ts";
import type { Gpu, Mode } from "./gpujs.ts";
import { prepareKernel } from "./kernel.ts";
import { Memory } from "./memory.ts";
import { chooseMode, openGpu } from "./mode.ts";
import { WebGpuDevice } from "./webgpu-device.ts";

export interface GpuJsOptions {
  /**
   * Where kernels run: "webgl2" or "webgl" in browsers, "headlessgl" in Node. Default: the best of these that the platform has. Never
   * another one than asked for. "webgpu", where there is an adapter, "cpu" (which needs code from strings) and "webasm", which run
   * everywhere without a GPU, slowly, are taken only when asked for.
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
  const gpu = openGpu(mode);
  const device = await deviceOf(gpu, mode);
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
    read: (buffer, into, offset) => memory.read(buffer, into, offset),
    prepare: (kernel) => prepareKernel(device, memory, kernel),
    dispose: () => memory.dispose(),
  };
  return { backend, device };
}

async function deviceOf(gpu: Gpu, mode: Mode): Promise<Device> {
  switch (mode) {
    case "cpu":
    case "webasm":
      return new ArrayDevice(gpu, mode);
    case "webgpu":
      return WebGpuDevice.open(gpu);
    case "headlessgl":
    case "webgl":
    case "webgl2":
      return new GlDevice(gpu, mode);
  }
}
