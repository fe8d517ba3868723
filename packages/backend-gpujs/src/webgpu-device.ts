/**
 * gpu.js's WebGPU: numbers lie in buffers, and kernels, reads and gpu.js's compiling are promises. What is asked of it is done in turn:
 * each thing waits for those before, and a read for all of them. Results are copied from buffer to buffer.
 */
import { noCounts } from "./counters.ts";
import type { Asked, Device, Image, Result } from "./device.ts";
import { disposed, fail, lost } from "./errors.ts";
import { bufferOf, WebGPUBufferResult, WebGPUContext, type BufferResult, type Gpu } from "./gpujs.ts";
import { Kernels, type Program } from "./kernels.ts";
import type { Rectangle } from "./rectangles.ts";
import * as webgpu from "./webgpu.ts";

interface BufferImage extends Image {
  readonly buffer: webgpu.WebGpuBuffer;
}

/** What a kernel will have left once its turn has come. */
interface Left {
  readonly width: number;
  readonly found: Promise<BufferResult>;
}

/** Rows of threads in a workgroup of gpu.js's. */
const GROUP = 8;
const FLOAT = 4;

export class WebGpuDevice implements Device {
  readonly mode = "webgpu";
  readonly counters = noCounts();
  readonly kernels: Kernels;
  readonly size: number;
  readonly longest: number;
  readonly float32 = true;
  readonly readsNow = false;
  readonly inputs: number;
  /** gpu.js has no kernel maps there. */
  readonly outputs = 1;
  readonly #context: webgpu.WebGpuContext;
  readonly #owner: object;
  #turn: Promise<unknown> = Promise.resolve();
  /** Why nothing works any more. */
  #failure: { readonly error: unknown } | undefined;
  #disposed = false;
  readonly #alive = new Set<webgpu.WebGpuBuffer>();

  private constructor(
    readonly gpu: Gpu,
    context: webgpu.WebGpuContext,
  ) {
    this.#context = context;
    this.kernels = new Kernels(gpu, this.mode, this.counters, "WebGPUBuffer", true);
    this.#owner = this.kernels.owner();
    const { limits } = context.device;
    this.size = GROUP * limits.maxComputeWorkgroupsPerDimension;
    this.longest = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize, 2 ** 30) / FLOAT;
    this.inputs = limits.maxStorageBuffersPerShaderStage - 1;
  }

  static async open(gpu: Gpu): Promise<WebGpuDevice> {
    return new WebGpuDevice(gpu, await WebGPUContext.acquire());
  }

  inUse(): void {
    if (this.#disposed) disposed();
    if (this.#context.isLost) lost(this.mode, "device");
    if (this.#failure) throw this.#failure.error;
  }

  /** Do it when all before is done, unless something of it has failed. */
  #next<R>(act: () => R | Promise<R>): Promise<R> {
    const turn = this.#turn.then(async () => {
      this.inUse();
      return act();
    });
    this.#turn = turn.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    return turn;
  }

  /** The same, for what nobody awaits: the next read says what went wrong. */
  #later(act: () => void | Promise<void>): void {
    this.#next(act).catch(() => undefined);
  }

  launch(program: Program, output: readonly number[], given: readonly unknown[]): Result[] {
    const [width = 0, height = 1, depth = 1] = output;
    const args = [...given];
    const found = this.#next(async () => {
      const [result = fail("INTERNAL", "gpujs(webgpu): a kernel without a result")] = this.kernels.launch(
        program,
        [width, height, depth],
        args,
      );
      const made = await bufferOf(result);
      made.delete();
      return made;
    });
    found.catch(() => undefined);
    return [{ numbers: { width, found } satisfies Left, width }];
  }

  #alloc(length: number, usage: number): webgpu.WebGpuBuffer {
    const { device } = this.#context;
    device.pushErrorScope("out-of-memory");
    const buffer = device.createBuffer({ size: FLOAT * length, usage });
    this.#alive.add(buffer);
    const scope = device.popErrorScope();
    this.#later(async () => {
      if (await scope)
        fail(
          "OUT_OF_MEMORY",
          "gpujs(webgpu): the GPU had no memory for all buffers; use smaller sizes or dispose of models",
        );
    });
    return buffer;
  }

  #free(buffer: webgpu.WebGpuBuffer): void {
    this.#alive.delete(buffer);
    buffer.destroy();
  }

  image(width: number, height: number, data: Float32Array | undefined): BufferImage {
    const output = [width * height];
    const buffer = this.#alloc(width * height, webgpu.STORAGE | webgpu.COPY_SRC | webgpu.COPY_DST);
    const argument = new WebGPUBufferResult({ buffer, output, context: this.#context, kernel: this.#owner });
    const image = { width, height, writable: true, argument, buffer };
    this.counters.textures++;
    if (data) this.write(image, data, 0);
    return image;
  }

  write({ buffer }: BufferImage, data: Float32Array, offset: number): void {
    const now = data.slice();
    this.#later(() => this.#context.device.queue.writeBuffer(buffer, FLOAT * offset, now));
    this.counters.uploads++;
    this.counters.uploadedBytes += now.byteLength;
  }

  release({ buffer }: BufferImage): void {
    this.counters.textures--;
    this.#later(() => this.#free(buffer));
  }

  copy(from: Left, to: BufferImage, rectangles: readonly Rectangle[]): void {
    this.counters.copies += rectangles.length;
    this.#later(async () => {
      const { buffer } = await from.found;
      this.#copies((encoder) => {
        for (const { x, y, toX, toY, width, height } of rectangles) {
          // Whole lines lie one behind the other.
          const whole = width === from.width && width === to.width;
          const lines = whole ? 1 : height;
          for (let r = 0; r < lines; r++)
            encoder.copyBufferToBuffer(
              buffer,
              FLOAT * ((y + r) * from.width + x),
              to.buffer,
              FLOAT * ((toY + r) * to.width + toX),
              FLOAT * (whole ? width * height : width),
            );
        }
      });
    });
  }

  #copies(encode: (encoder: webgpu.WebGpuEncoder) => void): void {
    const { device } = this.#context;
    const encoder = device.createCommandEncoder();
    encode(encoder);
    device.queue.submit([encoder.finish()]);
  }

  read(asked: readonly Asked<BufferImage>[]): Promise<void> {
    const length = asked.reduce((sum, { into }) => sum + into.length, 0);
    this.counters.downloads++;
    this.counters.downloadedBytes += FLOAT * length;
    const room = this.#alloc(length, webgpu.MAP_READ | webgpu.COPY_DST);
    return this.#next(async () => {
      let at = 0;
      const places = asked.map(({ into }) => (at += into.length) - into.length);
      this.#copies((encoder) =>
        asked.forEach(({ image, into, offset }, i) =>
          encoder.copyBufferToBuffer(
            image.buffer,
            FLOAT * offset,
            room,
            FLOAT * (places[i] ?? 0),
            FLOAT * into.length,
          ),
        ),
      );
      // It is refused, or zeros come, where the device is lost meanwhile.
      await room.mapAsync(webgpu.FOR_READING).catch(() => lost(this.mode, "device"));
      this.inUse();
      const numbers = new Float32Array(room.getMappedRange());
      asked.forEach(({ into }, i) => into.set(numbers.subarray(places[i], (places[i] ?? 0) + into.length)));
      this.#free(room);
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.counters.textures = 0;
    void this.#turn.then(() => {
      // The device is gpu.js's, and stays.
      this.#alive.forEach((buffer) => buffer.destroy());
      this.kernels.dispose();
    });
  }
}
