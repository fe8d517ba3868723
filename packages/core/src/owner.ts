/** What is freed together: device memory, programs bound to it, and whatever else can be disposed. */
import type { Backend, DeviceBuffer } from "./backend.ts";

interface Owned {
  dispose(): void;
}

export interface Owner {
  own<T extends Owned>(item: T): T;
  alloc(backend: Backend, length: number): DeviceBuffer;
  /** Dispose one of what is owned, before the rest. */
  release(item: Owned | undefined): void;
}

/** Build something that frees what it owns when it is disposed, or at once where it can't be built. */
export function owning<T extends object>(build: (owner: Owner) => T): T & Owned {
  const held = new Set<Owned>();
  const own: Owner["own"] = (item) => {
    held.add(item);
    return item;
  };
  const release: Owner["release"] = (item) => {
    if (item && held.delete(item)) item.dispose();
  };
  const alloc: Owner["alloc"] = (backend, length) => {
    const buffer = backend.alloc(length);
    own({ dispose: () => backend.free(buffer) });
    return buffer;
  };
  /** Last come, first freed: a bound program goes before its buffers. */
  const dispose = (): void => [...held].reverse().forEach(release);
  try {
    return { ...build({ own, alloc, release }), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
