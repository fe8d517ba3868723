/**
 * What a call reads back, and one call at a time: the same code serves a backend that answers at once and one that answers
 * later. The difference is in the types of models and streams.
 */
import type { Backend, DeviceBuffer } from "./backend.ts";
import { fail } from "./errors.ts";

export interface Read {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
  readonly into: Float32Array;
}

export interface Lane {
  /** @throws BUSY while a call is awaited, DISPOSED */
  idle(): void;
  /** Read in order, and then go on: at once on a synchronous backend, which allocates nothing, else as a promise. */
  read<A, R>(reads: readonly Read[], then: (given: A) => R, given: A): R | Promise<R>;
}

/** @param alive throws where what the calls are for was disposed */
export function lane(backend: Backend, who: string, alive: () => void): Lane {
  let busy = false;
  const later: Lane["read"] = async (reads, then, given) => {
    busy = true;
    try {
      for (const { buffer, into, offset } of reads)
        if (into.length > 0) await backend.read(buffer, into, offset);
    } finally {
      busy = false;
      // It may have been disposed meanwhile.
      alive();
    }
    return then(given);
  };
  return {
    idle() {
      alive();
      if (busy)
        fail(
          "BUSY",
          `${who}: expected one call at a time, got a second while the first is awaited; await it, or make a ${who} for each`,
        );
    },
    // No closure here: one would be made at every step of a stream.
    read(reads, then, given) {
      if (!backend.readSync) return later(reads, then, given);
      for (let i = 0; i < reads.length; i++) {
        const { buffer, into, offset } = reads[i] as Read;
        if (into.length > 0) backend.readSync(buffer, into, offset);
      }
      return then(given);
    },
  };
}

/** The call as it is on a synchronous backend; else its errors come as late as its results. */
export const answering = <A extends readonly unknown[], R>(
  backend: Backend,
  call: (...given: A) => R | Promise<R>,
): ((...given: A) => R | Promise<R>) => (backend.readSync ? call : async (...given) => call(...given));
