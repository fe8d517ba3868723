/** The device's memory: one WebAssembly memory, given out in blocks. It grows when nothing is free, and never within a step. */
import type { DeviceBuffer } from "@recurra/core";
import { fail } from "./errors.ts";
import { instead, platform, type WasmMemory } from "./webassembly.ts";

const PAGE = 65536;
/** Blocks begin at multiples of a cache line. */
const LINE = 64;
/** Kernels read whole vectors, and rows that they don't use: so far behind the last block may be read. */
const SLACK = PAGE;

export interface WasmBuffer extends DeviceBuffer {
  readonly address: number;
  /** Another after every write, a kernel's or the caller's. */
  version: number;
  alive: boolean;
  /** Of the whole block; made anew when the memory has grown. */
  view: Float32Array;
}

export interface Memory {
  readonly memory: WasmMemory;
  /** What has been given out, by address; what lies between is free. */
  readonly blocks: readonly { readonly address: number; readonly end: number }[];
  /** All of the memory, as words. */
  readonly words: () => Uint32Array;
  /** A block of bytes. @throws OUT_OF_MEMORY */
  readonly take: (bytes: number) => number;
  readonly give: (address: number) => void;
  readonly alloc: (length: number) => WasmBuffer;
  /** Freeing twice, or after `dispose`, does nothing: owners may be disposed in any order. */
  readonly free: (buffer: DeviceBuffer) => void;
  readonly write: (buffer: DeviceBuffer, data: Float32Array, offset: number) => void;
  readonly read: (buffer: DeviceBuffer, into: Float32Array, offset: number) => void;
  /** @throws DISPOSED */
  readonly check: () => void;
  readonly dispose: () => void;
}

/** @param made one that threads share */
export function openMemory(made?: WasmMemory): Memory {
  const memory = made ?? newMemory();
  const blocks: { address: number; end: number }[] = [];
  let all = new Uint32Array(memory.buffer);
  /** From here on nothing has ever been given out: it is still zero, and the system has no pages for it yet. */
  let untouched = 0;
  let disposed = false;

  const check = (): void => {
    if (disposed) fail("DISPOSED", "wasm: the backend was disposed; open a new one");
  };

  const take = (bytes: number): number => {
    check();
    const size = Math.max(LINE, Math.ceil(bytes / LINE) * LINE);
    // Address 0 means "none".
    let [address, i] = [LINE, 0];
    for (; i < blocks.length && blocks[i]!.address - address < size; i++) address = blocks[i]!.end;
    const end = address + size;
    reach(memory, end + SLACK);
    blocks.splice(i, 0, { address, end });
    untouched = Math.max(untouched, end);
    return address;
  };

  const give = (address: number): void => {
    const i = blocks.findIndex((block) => block.address === address);
    if (i >= 0) blocks.splice(i, 1);
  };

  const floats = ({ address, length }: { address: number; length: number }): Float32Array =>
    new Float32Array(memory.buffer, address, length);

  const viewOf = (buffer: WasmBuffer): Float32Array => {
    check();
    if (!buffer.alive)
      fail("DISPOSED", `wasm: the buffer of ${buffer.length} values was freed; allocate a new one`);
    if (buffer.view.buffer !== memory.buffer) buffer.view = floats(buffer);
    return buffer.view;
  };

  return {
    memory,
    blocks,
    words() {
      if (all.buffer !== memory.buffer) all = new Uint32Array(memory.buffer);
      return all;
    },
    take,
    give,
    alloc(length) {
      const before = untouched;
      const address = take(4 * length);
      const view = floats({ address, length });
      view.fill(0, 0, Math.max(0, (before - address) / 4));
      return { address, length, version: 0, alive: true, view };
    },
    free(buffer) {
      const own = buffer as WasmBuffer;
      if (own.alive) give(own.address);
      own.alive = false;
    },
    write(buffer, data, offset) {
      const own = buffer as WasmBuffer;
      viewOf(own).set(data, offset);
      own.version++;
    },
    read(buffer, into, offset) {
      const view = viewOf(buffer as WasmBuffer);
      // A copy of everything needs no view of a part: a stream reads its output so, at every step.
      into.set(into.length === view.length ? view : view.subarray(offset, offset + into.length));
    },
    check,
    dispose() {
      blocks.length = 0;
      disposed = true;
    },
  };
}

function newMemory(): WasmMemory {
  const { Memory: Made } = platform();
  try {
    return new Made({ initial: 16, maximum: 65536 });
  } catch (error) {
    fail("OUT_OF_MEMORY", `openWasm: no memory for WebAssembly (${String(error)}); ${instead}`);
  }
}

/** Let a memory have so many bytes, if it has fewer. */
function reach(memory: WasmMemory, end: number): void {
  const { byteLength } = memory.buffer;
  const missing = Math.ceil((end - byteLength) / PAGE);
  if (missing <= 0) return;
  // At least an eighth more, so that many small blocks don't copy everything again and again.
  for (const pages of [Math.max(missing, Math.min(byteLength / PAGE / 8, 1024) | 0), missing])
    try {
      memory.grow(pages);
      return;
    } catch {
      // Perhaps less.
    }
  fail(
    "OUT_OF_MEMORY",
    `wasm: expected room for ${missing * PAGE} bytes more, got too little (4 GiB at most); use smaller sizes or dispose of models`,
  );
}
