/** What is used of WebGPU, which the types of no platform bring along here. */

export interface WebGpuBuffer {
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  destroy(): void;
}

export interface WebGpuEncoder {
  copyBufferToBuffer(
    from: WebGpuBuffer,
    fromByte: number,
    to: WebGpuBuffer,
    toByte: number,
    bytes: number,
  ): void;
  finish(): object;
}

export interface WebGpu {
  readonly limits: {
    readonly maxStorageBuffersPerShaderStage: number;
    readonly maxStorageBufferBindingSize: number;
    readonly maxBufferSize: number;
    readonly maxComputeWorkgroupsPerDimension: number;
  };
  readonly queue: {
    submit(commands: readonly object[]): void;
    writeBuffer(buffer: WebGpuBuffer, byte: number, data: Float32Array): void;
  };
  createBuffer(descriptor: { readonly size: number; readonly usage: number }): WebGpuBuffer;
  createCommandEncoder(): WebGpuEncoder;
  pushErrorScope(filter: "out-of-memory"): void;
  popErrorScope(): Promise<object | null>;
}

/** gpu.js has one for all. */
export interface WebGpuContext {
  readonly device: WebGpu;
  readonly isLost: boolean;
}

/** GPUBufferUsage and GPUMapMode, by the specification's numbers. */
export const MAP_READ = 0x1;
export const COPY_SRC = 0x4;
export const COPY_DST = 0x8;
export const STORAGE = 0x80;
export const FOR_READING = 0x1;
