/**
 * Device memory: rows of numbers in textures. What the caller wrote stays here until a kernel asks for it, and is read back from here
 * as long as no kernel has written over it.
 */
import type { DeviceBuffer } from "@recurra/core";
import type { Asked, Device, Image, Result } from "./device.ts";
import { fail } from "./errors.ts";
import { rectangles } from "./rectangles.ts";

export class GpuBuffer implements DeviceBuffer {
  alive = true;
  /** The numbers as the caller wrote them; undefined once a kernel has written. */
  host: Float32Array | undefined;
  /** The numbers on the GPU; undefined where only `host` has them. */
  image: Image | undefined;
  /** Whether kernels write to it. */
  written = false;
  /** Texels in a line, once that is settled. */
  width = 0;
  /** Another after every write. */
  version = 0;
  /** The one number that the caller wrote everywhere, if it was one. */
  uniform: number | undefined;
  /** What goes with it. */
  readonly attached: GpuBuffer[] = [];

  constructor(readonly length: number) {}
}

/** Textures of one number that are kept. */
const MOST_UNIFORM = 32;

const isUniform = (data: Float32Array): boolean => data.every((value) => value === data[0]);

export class Memory {
  readonly #buffers = new Set<GpuBuffer>();
  readonly #uniforms = new Map<string, Image>();
  readonly #asked: Asked[] = [];
  #answer: Promise<void> | undefined;

  constructor(readonly device: Device) {}

  /** @param owner is freed with it */
  alloc(length: number, owner?: GpuBuffer): GpuBuffer {
    this.device.inUse();
    const { longest, size } = this.device;
    if (length > Math.min(longest, size * size))
      fail(
        "OUT_OF_MEMORY",
        `gpujs alloc: expected at most ${Math.min(longest, size * size)} values, which is what textures here have room for, got ${length}; use smaller sizes`,
      );
    const buffer = new GpuBuffer(length);
    this.#buffers.add(buffer);
    owner?.attached.push(buffer);
    return buffer;
  }

  /** Freeing twice, or after `dispose`, does nothing: owners may be disposed in any order. */
  free(given: DeviceBuffer): void {
    const buffer = given as GpuBuffer;
    if (!this.#buffers.delete(buffer)) return;
    buffer.alive = false;
    buffer.host = undefined;
    this.#drop(buffer);
    buffer.attached.forEach((other) => this.free(other));
  }

  /** @throws DISPOSED */
  own(buffer: DeviceBuffer): GpuBuffer {
    this.device.inUse();
    const own = buffer as GpuBuffer;
    if (!own.alive)
      fail("DISPOSED", `gpujs: the buffer of ${own.length} values was freed; allocate a new one`);
    return own;
  }

  write(given: DeviceBuffer, data: Float32Array, offset: number): void {
    const buffer = this.own(given);
    if (data.length === 0) return;
    const { image, host } = buffer;
    if (image && !host && this.device.write) {
      this.device.write(image, data, offset);
      buffer.uniform = undefined;
      buffer.version++;
      return;
    }
    if (data.length < buffer.length) this.numbers(buffer);
    buffer.host ??= new Float32Array(buffer.length);
    buffer.host.set(data, offset);
    buffer.uniform = data.length === buffer.length && isUniform(data) ? data[0] : undefined;
    buffer.version++;
    this.#drop(buffer);
  }

  /** What is asked for in one turn comes in one download. */
  async read(given: DeviceBuffer, into: Float32Array, offset: number): Promise<void> {
    const { host, image } = this.own(given);
    if (host) into.set(host.subarray(offset, offset + into.length));
    else if (!image) into.fill(0);
    else if (into.length > 0) {
      this.#asked.push({ image, into, offset });
      await (this.#answer ??= this.#download());
    }
  }

  async #download(): Promise<void> {
    await Promise.resolve();
    const asked = this.#asked.splice(0);
    this.#answer = undefined;
    this.device.inUse();
    await this.device.read(asked);
  }

  /** All of a buffer's numbers, on this side; a device that doesn't read now is never asked for them. */
  numbers(buffer: GpuBuffer): Float32Array {
    if (!buffer.host) {
      const host = new Float32Array(buffer.length);
      if (buffer.image) void this.device.read([{ image: buffer.image, into: host, offset: 0 }]);
      buffer.host = host;
    }
    return buffer.host;
  }

  #drop(buffer: GpuBuffer): void {
    if (buffer.image) this.device.release(buffer.image);
    buffer.image = undefined;
  }

  /** A line's texels: a row's, so that rows are rectangles, or several where there would be too many lines. */
  settle(buffer: GpuBuffer, rowStride: number): void {
    const { size } = this.device;
    const lines = (width: number): number => Math.ceil(buffer.length / width);
    if (buffer.width > 0 && lines(buffer.width) <= size) return;
    const row = Math.max(1, Math.min(rowStride, size, buffer.length));
    const least = Math.ceil(lines(row) / size);
    buffer.width = row * least <= size ? row * least : size;
  }

  /** The numbers on the GPU, for a kernel to read. */
  source(buffer: GpuBuffer): Image {
    if (!buffer.image && buffer.uniform !== undefined) return this.#uniform(buffer.length, buffer.uniform);
    if (!buffer.image) {
      // As few lines as there can be, none of which is longer than its numbers.
      const lines = Math.ceil(buffer.length / this.device.size);
      if (buffer.width === 0) this.settle(buffer, Math.ceil(buffer.length / lines));
      buffer.image = this.#upload(buffer, buffer.host);
    }
    return buffer.image;
  }

  /** Initial states are one number everywhere, run after run: it is uploaded once. */
  #uniform(length: number, value: number): Image {
    const key = `${length} ${value}`;
    let image = this.#uniforms.get(key);
    if (!image) {
      const [oldest, old] = [...this.#uniforms][0] ?? [];
      if (this.#uniforms.size >= MOST_UNIFORM && oldest !== undefined && old) {
        this.#uniforms.delete(oldest);
        this.device.release(old);
      }
      const lines = Math.ceil(length / this.device.size);
      const width = Math.ceil(length / lines);
      image = this.device.image(width, lines, new Float32Array(length).fill(value), false);
      this.#uniforms.set(key, image);
    }
    return image;
  }

  #upload({ width, length, written }: GpuBuffer, data: Float32Array | undefined): Image {
    return this.device.image(width, Math.max(1, Math.ceil(length / width)), data, written);
  }

  /** Put a kernel's result where it belongs: rows of `width`, the first at `offset`. */
  store(
    buffer: GpuBuffer,
    result: Result,
    rows: number,
    width: number,
    offset: number,
    rowStride: number,
  ): void {
    const all = offset === 0 && rows * width === buffer.length && (rows === 1 || rowStride === width);
    if (!buffer.written) {
      buffer.written = true;
      if (buffer.image && !buffer.image.writable) {
        this.numbers(buffer);
        this.#drop(buffer);
      }
    }
    const image = (buffer.image ??= this.#upload(buffer, all ? undefined : buffer.host));
    this.device.copy(
      result.numbers,
      image,
      rectangles(rows, width, result.width, image.width, offset, rowStride),
    );
    buffer.host = undefined;
    buffer.uniform = undefined;
    buffer.version++;
  }

  dispose(): void {
    for (const buffer of this.#buffers) {
      buffer.alive = false;
      buffer.host = undefined;
      buffer.image = undefined;
    }
    this.#buffers.clear();
    this.device.dispose();
  }
}
