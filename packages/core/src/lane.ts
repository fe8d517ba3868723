/**
 * What a call reads back, and one call at a time: the same code serves a backend that answers at once and one that answers
 * later. The difference is in the types of models and streams.
 */
import type { Backend, DeviceBuffer } from "./backend.ts";
import { fail } from "./errors.ts";

export interface Read {
  readonly place: { readonly buffer: DeviceBuffer; readonly offset: number };
  readonly into: Float32Array;
}

export interface Lane {
  /** @throws DISPOSED */
  alive(): void;
  /** @throws BUSY while a call is awaited, DISPOSED */
  idle(): void;
  /** Read in order, and then go on: at once on a synchronous backend, which allocates nothing, else as a promise. */
  read<A, R>(reads: readonly Read[], then: (given: A) => R, given: A): R | Promise<R>;
  dispose(): void;
}

/** @param above whose end is the end of this one as well */
export function lane(backend: Backend, who: string, above?: Lane): Lane {
  let open = true;
  let busy = false;
  const alive = (): void => {
    if (!open)
      fail("DISPOSED", `${who}: expected a ${who} in use, got one that was disposed; create another`);
    above?.alive();
  };
  const later: Lane["read"] = async (reads, then, given) => {
    busy = true;
    try {
      // All at once: a device may bring them in one go.
      await Promise.all(reads.map(({ place, into }) => backend.read(place.buffer, into, place.offset)));
    } finally {
      busy = false;
      // It may have been disposed meanwhile.
      alive();
    }
    return then(given);
  };
  return {
    alive,
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
        const { place, into } = reads[i] as Read;
        if (into.length > 0) backend.readSync(place.buffer, into, place.offset);
      }
      return then(given);
    },
    dispose() {
      open = false;
    },
  };
}

/** The call as it is on a synchronous backend; else its errors come as late as its results. */
export const answering = <A extends readonly unknown[], R>(
  backend: Backend,
  call: (...given: A) => R | Promise<R>,
): ((...given: A) => R | Promise<R>) => (backend.readSync ? call : async (...given) => call(...given));
