/** Device memory on a CPU: typed arrays. Nobody gets to a freed buffer's values, nor at anything of a disposed backend. */
import { RecurraError, type DeviceBuffer, type SyncBackend } from "@recurra/core";

/** Kernels index with 32-bit integers. */
const LONGEST = 2 ** 31 - 1;

/** A copy of a matrix as gemm reads it (see kept.ts), if it pays to have it now. */
export type Panels = () => readonly number[] | undefined;

export interface CpuBuffer extends DeviceBuffer {
  /** Undefined once freed. */
  data: Float32Array | undefined;
  /** Another after every write, a kernel's or the caller's. */
  version: number;
  /** Copies of matrices in it, by where they lie: all kernels that read a matrix share its copy. */
  readonly kept: Map<string, Panels>;
}

export const bufferOf = (data: Float32Array): CpuBuffer => ({
  length: data.length,
  data,
  version: 0,
  kept: new Map(),
});

/** A buffer's values. */
export function dataOf(buffer: DeviceBuffer): Float32Array {
  const { data } = buffer as CpuBuffer;
  if (data) return data;
  throw new RecurraError(
    "DISPOSED",
    `cpu: expected a buffer in use, got one of ${buffer.length} values that was freed, alone or with its backend; allocate another`,
  );
}

interface Memory extends Pick<SyncBackend, "alloc" | "free" | "write" | "readSync" | "dispose"> {
  /** Refuses once the backend was disposed. */
  inUse(): void;
}

/** The buffers of one backend. */
export function openMemory(): Memory {
  const buffers = new Set<CpuBuffer>();
  let disposed = false;

  function inUse(): void {
    if (disposed) throw new RecurraError("DISPOSED", "cpu: the backend was disposed; open a new one");
  }

  function alloc(length: number): CpuBuffer {
    inUse();
    try {
      if (length <= LONGEST) {
        const buffer = bufferOf(new Float32Array(length));
        buffers.add(buffer);
        return buffer;
      }
    } catch {
      // Said below.
    }
    throw new RecurraError(
      "OUT_OF_MEMORY",
      `cpu alloc: expected at most ${LONGEST} values that there is memory for, got ${length}; use smaller sizes or free others`,
    );
  }

  /** Freeing twice, or after `dispose`, does nothing: owners may be disposed in any order. */
  function free(buffer: DeviceBuffer): void {
    (buffer as CpuBuffer).data = undefined;
    buffers.delete(buffer as CpuBuffer);
  }

  function write(buffer: DeviceBuffer, data: Float32Array, offset: number): void {
    dataOf(buffer).set(data, offset);
    (buffer as CpuBuffer).version++;
  }

  function readSync(buffer: DeviceBuffer, into: Float32Array, offset: number): void {
    const data = dataOf(buffer);
    // A copy of everything needs no view of a part: a stream reads its output so, at every step.
    into.set(into.length === data.length ? data : data.subarray(offset, offset + into.length));
  }

  function dispose(): void {
    for (const buffer of buffers) free(buffer);
    disposed = true;
  }

  return { inUse, alloc, free, write, readSync, dispose };
}
