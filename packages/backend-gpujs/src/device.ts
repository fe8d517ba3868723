/** What memory and kernels ask of a device, whether it keeps numbers in textures or in arrays. */
import type { Counters } from "./counters.ts";
import type { Mode } from "./gpujs.ts";
import type { Kernels, Program } from "./kernels.ts";
import type { Rectangle } from "./rectangles.ts";

/** Numbers on the device, line by line. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** Whether results can be copied into it. */
  readonly writable: boolean;
  /** As gpu.js takes it. */
  readonly argument: object;
}

/** What a kernel has left. */
export interface Result {
  readonly numbers: object;
  /** Numbers in a line. */
  readonly width: number;
}

/** Numbers of an image that are wanted: from `offset` on, as many as there's room for. */
export interface Asked<I extends Image = Image> {
  readonly image: I;
  readonly into: Float32Array;
  readonly offset: number;
}

export interface Device {
  readonly mode: Mode;
  readonly counters: Counters;
  readonly kernels: Kernels;
  /** Texels of a line, and lines. */
  readonly size: number;
  /** The longest row of numbers that kernels can index. */
  readonly longest: number;
  /** Whether kernels compute in float32: then a value is the same whether it stays in a kernel or goes through memory. */
  readonly float32: boolean;
  /** Whether a read answers at once. */
  readonly readsNow: boolean;
  /** Of a kernel. */
  readonly inputs: number;
  readonly outputs: number;

  /** @throws DISPOSED, DEVICE_LOST */
  inUse(): void;
  /** @returns the results, which last until the program runs again */
  launch(program: Program, output: readonly number[], args: readonly unknown[]): Result[];
  /** These numbers, line by line; without them, whatever was there before. */
  image(width: number, height: number, data: Float32Array | undefined, writable: boolean): Image;
  /** It waits for another use, or goes. */
  release(image: Image): void;
  /** Copy rectangles of a result to where they belong. */
  copy(from: object, to: Image, rectangles: readonly Rectangle[]): void;
  /** Write over numbers from `offset` on, where `readsNow` is false: the rest can't be looked up. */
  write?(image: Image, data: Float32Array, offset: number): void;
  /** Copy numbers out of images, all in one go. Waits for the kernels before. */
  read(asked: readonly Asked[]): void | Promise<void>;
  dispose(): void;
}
