/** Faults in memory and in a backend's life. */
import type { Backend, DeviceBuffer } from "@recurra/core/internal";
import { forward } from "../wrap.ts";
import { mutant, type Mutant } from "./mutant.ts";

const fault = (
  name: string,
  what: string,
  change: (backend: Backend) => Parameters<typeof forward>[1],
): Mutant => mutant("kernel", name, what, (backend) => forward(backend, change(backend)));

export const memoryMutants: readonly Mutant[] = [
  fault("write without offset", "writes to the beginning of the buffer", (backend) => ({
    write: (buffer, data, offset) =>
      backend.write(buffer, data, offset + data.length <= buffer.length ? 0 : offset),
  })),
  fault(
    "write by reference",
    "takes the caller's values when it is read, not when they were written",
    (backend) => {
      const pending = new Map<DeviceBuffer, [Float32Array, number][]>();
      const flush = (buffer: DeviceBuffer): void => {
        for (const [data, offset] of pending.get(buffer) ?? []) backend.write(buffer, data, offset);
        pending.delete(buffer);
      };
      return {
        write(buffer, data, offset) {
          backend.write(buffer, data, offset); // what is wrong with it shows now
          pending.set(buffer, [...(pending.get(buffer) ?? []), [data, offset]]);
        },
        read(buffer, into, offset) {
          flush(buffer);
          return backend.read(buffer, into, offset);
        },
        readSync: undefined,
      };
    },
  ),
  fault("stale reads", "a second read gives what the first one gave, whatever ran between", (backend) => {
    const seen = new Map<DeviceBuffer, Float32Array>();
    const look = async (buffer: DeviceBuffer, into: Float32Array, offset: number): Promise<void> => {
      await backend.read(buffer, into, offset);
      let known = seen.get(buffer);
      if (!known) {
        seen.set(buffer, (known = new Float32Array(buffer.length)));
        await backend.read(buffer, known, 0);
      }
      into.set(known.subarray(offset, offset + into.length));
    };
    return {
      write(buffer, data, offset) {
        backend.write(buffer, data, offset);
        seen.delete(buffer);
      },
      read: look,
      readSync: undefined,
    };
  }),
  fault("∞ isn't kept", "writes the largest float32 for ∞", (backend) => ({
    write: (buffer, data, offset) =>
      backend.write(
        buffer,
        data.map((v) => Math.max(-3.4028234663852886e38, Math.min(3.4028234663852886e38, v))),
        offset,
      ),
  })),
  fault("works after dispose", "its dispose does nothing", () => ({ dispose: () => undefined })),
  fault("free does nothing", "goes on with buffers that were freed", () => ({ free: () => undefined })),
];
