/** Parameters as gemms read them: packed once, and again after they have changed. Programs of a model share them. */
import { packedBytes } from "./launch.ts";
import type { Memory, WasmBuffer } from "./memory.ts";
import type { Exports } from "./webassembly.ts";

/** A right operand: element (k, j) at from + k · depthStride + j · columnStride. */
export interface Matrix {
  readonly from: number;
  readonly depthStride: number;
  readonly columnStride: number;
  readonly depth: number;
  readonly width: number;
}

export interface Pack {
  readonly key: string;
  readonly matrix: Matrix;
  readonly buffer: WasmBuffer;
  readonly address: number;
  /** The buffer's, when it was packed. */
  version: number;
  users: number;
}

const shared = new WeakMap<WasmBuffer, Map<string, Pack>>();

/** The packs of one bound program. */
export class Packs {
  readonly #taken: Pack[] = [];
  #disposed = false;

  constructor(
    readonly memory: Memory,
    readonly exports: Exports,
  ) {}

  take(buffer: WasmBuffer, matrix: Matrix): Pack {
    const key = Object.values(matrix).join();
    const packs = shared.get(buffer) ?? new Map<string, Pack>();
    shared.set(buffer, packs);
    let pack = packs.get(key);
    if (!pack) {
      const address = this.memory.take(packedBytes(matrix.depth, matrix.width));
      packs.set(key, (pack = { key, matrix, buffer, address, version: -1, users: 0 }));
    }
    if (!this.#taken.includes(pack)) {
      pack.users++;
      this.#taken.push(pack);
    }
    return pack;
  }

  /** Pack what has changed. */
  refresh(): void {
    for (let i = 0; i < this.#taken.length; i++) {
      const pack = this.#taken[i]!;
      if (pack.version === pack.buffer.version) continue;
      const { from, depthStride, columnStride, depth, width } = pack.matrix;
      this.exports.pack(from, depthStride, columnStride, depth, width, pack.address, 32 * depth);
      pack.version = pack.buffer.version;
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const pack of this.#taken)
      if (--pack.users === 0) {
        shared.get(pack.buffer)?.delete(pack.key);
        this.memory.give(pack.address);
      }
  }
}
