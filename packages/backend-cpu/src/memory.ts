/** Device memory on a CPU: typed arrays, and errors instead of whatever a freed or foreign buffer would have read as. */
import type { DeviceBuffer } from "@recurra/core";
import { fail } from "./errors.ts";

/** Kernels index with 32-bit integers. */
const LONGEST = 2 ** 31 - 1;

const NOTHING = new Float32Array(0);

export class CpuBuffer implements DeviceBuffer {
  readonly length: number;
  /** Empty once freed. */
  data: Float32Array;
  alive = true;
  /** Another after every write, a kernel's or the caller's. */
  version = 0;

  constructor(data: Float32Array) {
    this.data = data;
    this.length = data.length;
  }

  change(): void {
    this.version = (this.version + 1) | 0;
  }

  release(): void {
    this.data = NOTHING;
    this.alive = false;
  }
}

/** The buffers of one backend. */
export class Memory {
  private readonly buffers = new Set<DeviceBuffer>();
  private disposed = false;

  alloc(length: number): CpuBuffer {
    this.check();
    if (!Number.isInteger(length) || length < 0) {
      fail("INVALID_ARGUMENT", `cpu alloc: expected a length, a whole number from 0, got ${length}`);
    }
    if (length > LONGEST)
      fail("OUT_OF_MEMORY", `cpu alloc: a buffer holds at most ${LONGEST} values, got ${length}`);
    let data: Float32Array;
    try {
      data = new Float32Array(length);
    } catch {
      fail(
        "OUT_OF_MEMORY",
        `cpu alloc: no memory for ${length} values (${4 * length} bytes); use smaller sizes or free others`,
      );
    }
    const buffer = new CpuBuffer(data);
    this.buffers.add(buffer);
    return buffer;
  }

  /** Freeing twice, or after `dispose`, does nothing: owners may be disposed in any order. */
  free(buffer: DeviceBuffer): void {
    if (this.buffers.delete(buffer)) (buffer as CpuBuffer).release();
  }

  /** The buffer, if it is one of this backend's and alive. */
  own(who: string, buffer: DeviceBuffer): CpuBuffer {
    this.check();
    if (!(buffer instanceof CpuBuffer))
      fail("INVALID_ARGUMENT", `${who}: expected a buffer of this cpu backend, got another's`);
    if (!buffer.alive)
      fail("DISPOSED", `${who}: the buffer of ${buffer.length} values was freed; allocate a new one`);
    if (!this.buffers.has(buffer))
      fail("INVALID_ARGUMENT", `${who}: the buffer belongs to another cpu backend`);
    return buffer;
  }

  write(buffer: DeviceBuffer, data: Float32Array, offset: number): void {
    const own = this.range("cpu write", buffer, offset, data.length);
    own.data.set(data, offset);
    own.change();
  }

  read(buffer: DeviceBuffer, into: Float32Array, offset: number): void {
    const { data } = this.range("cpu read", buffer, offset, into.length);
    // A copy of everything needs no view of a part: a stream reads its output so, at every step.
    into.set(into.length === data.length ? data : data.subarray(offset, offset + into.length));
  }

  private range(who: string, buffer: DeviceBuffer, offset: number, length: number): CpuBuffer {
    const own = this.own(who, buffer);
    if (!Number.isInteger(offset) || offset < 0 || offset + length > own.length) {
      fail(
        "INVALID_ARGUMENT",
        `${who}: expected a range within ${own.length} values, got ${length} values from ${offset}`,
      );
    }
    return own;
  }

  check(): void {
    if (this.disposed) fail("DISPOSED", "cpu: the backend was disposed; open a new one");
  }

  /** Every buffer goes with it, so that a bound kernel can't run on what is left. */
  dispose(): void {
    for (const buffer of this.buffers) (buffer as CpuBuffer).release();
    this.buffers.clear();
    this.disposed = true;
  }
}
