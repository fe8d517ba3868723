/**
 * gpu.js's modes without a GPU: numbers lie in arrays. Nobody needs them for speed; they show what a kernel computes where there is
 * no GPU, and are to be asked for by name. A result is a list of rows.
 */
import { noCounts } from "./counters.ts";
import type { Asked, Device, Image, Result } from "./device.ts";
import { disposed } from "./errors.ts";
import type { Gpu, Mode } from "./gpujs.ts";
import { Kernels, type Program } from "./kernels.ts";
import type { Rectangle } from "./rectangles.ts";

interface ArrayImage extends Image {
  readonly argument: Float32Array;
}

/** Numbers in an image, at most: as many as a loop of gpu.js's can go through. */
const SIZE = 2 ** 28;

export class ArrayDevice implements Device {
  readonly counters = noCounts();
  readonly kernels: Kernels;
  readonly size = SIZE;
  readonly longest = SIZE;
  readonly float32: boolean;
  readonly readsNow = true;
  readonly inputs = 15;
  readonly outputs: number;
  #disposed = false;

  constructor(
    readonly gpu: Gpu,
    readonly mode: Mode,
  ) {
    this.kernels = new Kernels(gpu, mode, this.counters, "Array", false);
    // JavaScript computes in float64.
    this.float32 = mode !== "cpu";
    // gpu.js has no kernel maps in WebAssembly.
    this.outputs = mode === "cpu" ? 8 : 1;
  }

  inUse(): void {
    if (this.#disposed) disposed();
  }

  launch(program: Program, output: readonly number[], args: readonly unknown[]): Result[] {
    const [width = 0] = output;
    return this.kernels.launch(program, output, args).map((rows) => ({ numbers: rows, width }));
  }

  image(width: number, height: number, data: Float32Array | undefined, writable: boolean): ArrayImage {
    const argument = new Float32Array(width * height);
    if (data) {
      argument.set(data);
      this.counters.uploads++;
      this.counters.uploadedBytes += argument.byteLength;
    }
    this.counters.textures++;
    return { width, height, writable, argument };
  }

  release(): void {
    this.counters.textures--;
  }

  copy(from: readonly Float32Array[], to: ArrayImage, rectangles: readonly Rectangle[]): void {
    for (const { x, y, toX, toY, width, height } of rectangles)
      for (let r = 0; r < height; r++)
        to.argument.set((from[y + r] as Float32Array).subarray(x, x + width), (toY + r) * to.width + toX);
    this.counters.copies += rectangles.length;
  }

  read(asked: readonly Asked<ArrayImage>[]): void {
    this.counters.downloads++;
    for (const { image, into, offset } of asked) {
      into.set(image.argument.subarray(offset, offset + into.length));
      this.counters.downloadedBytes += into.byteLength;
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.counters.textures = 0;
    this.kernels.dispose();
  }
}
