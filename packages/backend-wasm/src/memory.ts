/** The device's memory: one WebAssembly memory, given out in blocks. It grows when nothing is free, and never within a step. */
import type { DeviceBuffer } from "@recurra/core";
import { fail } from "./errors.ts";
import { instead, platform, type WasmMemory } from "./webassembly.ts";

const PAGE = 65536;
/** Blocks begin at multiples of a cache line. */
const LINE = 64;
/** Kernels read whole vectors, and rows that they don't use: so far behind the last block may be read. */
const SLACK = PAGE;

export class WasmBuffer implements DeviceBuffer {
  /** Another after every write, a kernel's or the caller's. */
  version = 0;
  alive = true;
  /** Of the whole block; made anew when the memory has grown. */
  view: Float32Array;

  constructor(
    readonly address: number,
    readonly length: number,
    memory: Memory,
  ) {
    this.view = memory.floats(address, length);
  }
}

export class Memory {
  readonly memory: WasmMemory;
  readonly #buffers = new Set<WasmBuffer>();
  /** Free blocks by address, none beside another. */
  #free: { address: number; size: number }[] = [];
  readonly #sizes = new Map<number, number>();
  #words: Uint32Array;
  /** From here on nothing has ever been given out: it is still zero, and the system has no pages for it yet. */
  #untouched = LINE;
  #disposed = false;

  /** @param made one that threads share */
  constructor(made?: WasmMemory) {
    const { Memory: Made } = platform();
    try {
      this.memory = made ?? new Made({ initial: 16, maximum: 65536 });
    } catch (error) {
      fail("OUT_OF_MEMORY", `openWasm: no memory for WebAssembly (${String(error)}); ${instead}`);
    }
    // Address 0 means "none".
    this.#free = [{ address: LINE, size: this.memory.buffer.byteLength - LINE - SLACK }];
    this.#words = new Uint32Array(this.memory.buffer);
  }

  /** Bytes in use. */
  get used(): number {
    let sum = 0;
    for (const size of this.#sizes.values()) sum += size;
    return sum;
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length);
  }

  /** All of the memory, as words. */
  get words(): Uint32Array {
    if (this.#words.buffer !== this.memory.buffer) this.#words = new Uint32Array(this.memory.buffer);
    return this.#words;
  }

  /** A block of bytes. @throws OUT_OF_MEMORY */
  take(bytes: number): number {
    this.check();
    const size = Math.max(LINE, Math.ceil(bytes / LINE) * LINE);
    let block = this.#free.find((b) => b.size >= size);
    if (!block) {
      const last = this.#free.at(-1);
      const end = this.memory.buffer.byteLength - SLACK;
      const spare = last && last.address + last.size === end ? last.size : 0;
      // At least an eighth more, so that many small blocks don't copy everything again and again.
      const wanted = Math.ceil((size - spare) / PAGE);
      const pages = Math.max(wanted, Math.min(this.memory.buffer.byteLength / PAGE / 8, 1024) | 0);
      let added = 0;
      for (const n of [pages, wanted]) {
        if (added > 0) break;
        try {
          this.memory.grow(n);
          added = n * PAGE;
        } catch {
          // Perhaps less.
        }
      }
      if (added === 0)
        fail(
          "OUT_OF_MEMORY",
          `wasm: expected room for ${bytes} bytes, got too little (4 GiB at most); use smaller sizes or dispose of models`,
        );
      this.#release(end, added);
      block = this.#free.at(-1)!;
    }
    const { address } = block;
    block.address += size;
    block.size -= size;
    if (block.size === 0) this.#free.splice(this.#free.indexOf(block), 1);
    this.#sizes.set(address, size);
    this.#untouched = Math.max(this.#untouched, block.address);
    return address;
  }

  give(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) return;
    this.#sizes.delete(address);
    this.#release(address, size);
  }

  #release(address: number, size: number): void {
    const free = this.#free;
    let i = free.findIndex((b) => b.address > address);
    if (i < 0) i = free.length;
    free.splice(i, 0, { address, size });
    for (const at of [i, i - 1]) {
      const [a, b] = [free[at], free[at + 1]];
      if (a && b && a.address + a.size === b.address) {
        a.size += b.size;
        free.splice(at + 1, 1);
      }
    }
  }

  alloc(length: number): WasmBuffer {
    const untouched = this.#untouched;
    const address = this.take(4 * length);
    const buffer = new WasmBuffer(address, length, this);
    if (address < untouched) buffer.view.fill(0, 0, (untouched - address) / 4);
    this.#buffers.add(buffer);
    return buffer;
  }

  /** Freeing twice, or after `dispose`, does nothing: owners may be disposed in any order. */
  free(buffer: DeviceBuffer): void {
    const own = buffer as WasmBuffer;
    if (!this.#buffers.delete(own)) return;
    own.alive = false;
    this.give(own.address);
  }

  /** A buffer's numbers. */
  viewOf(buffer: DeviceBuffer): Float32Array {
    this.check();
    const own = buffer as WasmBuffer;
    if (!own.alive)
      fail("DISPOSED", `wasm: the buffer of ${own.length} values was freed; allocate a new one`);
    if (own.view.buffer !== this.memory.buffer) own.view = this.floats(own.address, own.length);
    return own.view;
  }

  write(buffer: DeviceBuffer, data: Float32Array, offset: number): void {
    this.viewOf(buffer).set(data, offset);
    const own = buffer as WasmBuffer;
    own.version = (own.version + 1) | 0;
  }

  read(buffer: DeviceBuffer, into: Float32Array, offset: number): void {
    const view = this.viewOf(buffer);
    // A copy of everything needs no view of a part: a stream reads its output so, at every step.
    into.set(into.length === view.length ? view : view.subarray(offset, offset + into.length));
  }

  check(): void {
    if (this.#disposed) fail("DISPOSED", "wasm: the backend was disposed; open a new one");
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.alive = false;
    this.#buffers.clear();
    this.#sizes.clear();
    this.#disposed = true;
  }
}
