/**
 * gpu.js as it really is: its own types lack `loopMaxIterations`, refuse sub-kernels that are strings, and hide a texture's handle.
 * The casts of this package are all here.
 */
import * as library from "gpu.js";
import type { Gl, GlTexture } from "./gl.ts";
import type { WebGpuBuffer, WebGpuContext } from "./webgpu.ts";

/** Where kernels run; words of gpu.js. */
export type Mode = "webgl2" | "webgl" | "headlessgl" | "webgpu" | "cpu" | "webasm";

export type ArgumentType = "ArrayTexture(1)" | "Array" | "WebGPUBuffer" | "Integer" | "Float";

export interface KernelSettings {
  readonly output: readonly number[];
  readonly argumentTypes: Readonly<Record<string, ArgumentType>>;
  readonly pipeline: boolean;
  readonly immutable: false;
  readonly precision: "single";
  /** highp throughout, whatever the sizes. */
  readonly tactic: "precision";
  readonly dynamicOutput: true;
  readonly dynamicArguments: true;
  /** Loops whose bound isn't a constant stop here, without a word. */
  readonly loopMaxIterations: number;
  /** false: `/` is a division, not a search for whole quotients. */
  readonly fixIntegerDivisionAccuracy: false;
}

/** A texture as gpu.js hands it out and takes it. */
export interface Texture {
  readonly texture: GlTexture;
  /** Texels: [width, height]. */
  readonly size: ArrayLike<number>;
}

/** The same of WebGPU. */
export interface BufferResult {
  readonly buffer: WebGpuBuffer;
  /** Its kernel keeps the buffer. */
  delete(): void;
}

/** Rows of numbers, or where they are on the GPU if the kernel is part of a pipeline; WebGPU promises them. */
export type Output =
  | Texture
  | Promise<BufferResult>
  | Float32Array
  | readonly Float32Array[]
  | readonly (readonly Float32Array[])[];

export interface RunKernel<R> {
  (...args: readonly unknown[]): R;
  setOutput(output: readonly number[]): unknown;
  destroy(): void;
  readonly kernel: { readonly constructor: KernelClass };
  readonly fallbackReason?: string | null;
}

/** What a kernel map returns: the kernel's own result, and the sub-kernels' by their names. */
export type Outputs = Readonly<Record<string, Output>>;

/** What a kernel has returned, its own result first. @param names of sub-kernels */
export function resultsOf(found: Output | Outputs, names: readonly string[]): Output[] {
  if (names.length === 0) return [found as Output];
  const all = found as Outputs;
  return ["result", ...names].map((name) => all[name] as Output);
}

/** A result where kernels draw with WebGL. */
export const textureOf = (result: Output): Texture => result as Texture;
/** A result of WebGPU. */
export const bufferOf = (result: Output): Promise<BufferResult> => result as Promise<BufferResult>;

export interface Features {
  readonly isFloatRead: boolean;
  readonly isTextureFloat: boolean;
  readonly kernelMap: boolean;
}

/** A class for each mode; its own `mode` is "gpu" for all of WebGL's. */
export interface KernelClass {
  readonly mode: string;
  readonly features: Features | null;
}

export interface Gpu {
  readonly Kernel: KernelClass;
  readonly context: Gl | null;
  createKernel(source: string, settings: KernelSettings): RunKernel<Output>;
  createKernelMap(
    subKernels: Readonly<Record<string, string>>,
    source: string,
    settings: KernelSettings,
  ): RunKernel<Outputs>;
  addFunction(
    source: string,
    settings: {
      readonly argumentTypes: Readonly<Record<string, ArgumentType>>;
      readonly returnType: ArgumentType;
    },
  ): unknown;
  destroy(): Promise<void>;
}

interface Library {
  readonly GPU: {
    new (settings: { readonly mode: Mode }): Gpu;
    readonly isHeadlessGLSupported: boolean;
    readonly isWebGL2Supported: boolean;
    readonly isWebGLSupported: boolean;
    readonly isWebGPUSupported: boolean;
    readonly isWebAssemblySupported: boolean;
    isWebGPUAvailable(): Promise<boolean>;
  };
  readonly Texture: new (settings: {
    readonly texture: GlTexture;
    readonly size: ArrayLike<number>;
    readonly dimensions: ArrayLike<number>;
    readonly output: readonly number[];
    readonly context: Gl;
    readonly kernel: object;
    readonly type: "ArrayTexture(1)";
  }) => Texture;
  readonly WebGPUBufferResult: new (settings: {
    readonly buffer: WebGpuBuffer;
    readonly output: readonly number[];
    readonly context: WebGpuContext;
    readonly kernel: object;
  }) => BufferResult;
  readonly WebGPUContext: { acquire(): Promise<WebGpuContext> };
  readonly WebGL2Kernel: KernelClass;
  readonly WebGLKernel: KernelClass;
  readonly HeadlessGLKernel: KernelClass;
  readonly WebGPUKernel: KernelClass;
  readonly CPUKernel: KernelClass;
  readonly WebAssemblyKernel: KernelClass;
}

const gpujs = library as unknown as Library;

export const { GPU, Texture, WebGPUBufferResult, WebGPUContext } = gpujs;

/** What runs a mode's kernels. */
export const classes: Readonly<Record<Mode, KernelClass>> = {
  webgl2: gpujs.WebGL2Kernel,
  webgl: gpujs.WebGLKernel,
  headlessgl: gpujs.HeadlessGLKernel,
  webgpu: gpujs.WebGPUKernel,
  cpu: gpujs.CPUKernel,
  webasm: gpujs.WebAssemblyKernel,
};

export const modes = Object.keys(classes) as readonly Mode[];

/** The mode that a kernel class runs. */
export const modeOf = (kernel: KernelClass): string =>
  modes.find((mode) => classes[mode] === kernel) ?? kernel.mode;

/** Where this module lies. */
export const here = (import.meta as unknown as { readonly url: string }).url;
