/** What is freed together: device memory, programs bound to it, and whatever else can be disposed. */
import type { Backend, DeviceBuffer } from "./backend.ts";

interface Owned {
  dispose(): void;
}

export class Owner {
  readonly #held = new Set<Owned>();

  own<T extends Owned>(item: T): T {
    this.#held.add(item);
    return item;
  }

  alloc(backend: Backend, length: number): DeviceBuffer {
    const buffer = backend.alloc(length);
    this.own({ dispose: () => backend.free(buffer) });
    return buffer;
  }

  /** Dispose one of what is owned, before the rest. */
  release(item: Owned | undefined): void {
    if (item && this.#held.delete(item)) item.dispose();
  }

  /** Last come, first freed: a bound program goes before its buffers. */
  dispose(): void {
    for (const item of [...this.#held].reverse()) this.release(item);
  }
}

/** Build something that frees what it owns when it is disposed, or at once where it can't be built. */
export function owning<T extends object>(build: (owner: Owner) => T): T & Owned {
  const owner = new Owner();
  const dispose = (): void => owner.dispose();
  try {
    return { ...build(owner), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
