/** Parameters as gemms read them: packed once, and again after they have changed. Programs of a model share them. */
import { abreast } from "./engine/gemm.ts";
import { PANEL } from "./engine/tile.ts";
import type { Format } from "./format.ts";
import { packedBytes } from "./launch.ts";
import type { Matrix } from "./matrix.ts";
import type { Memory, WasmBuffer } from "./memory.ts";
import type { Exports } from "./webassembly.ts";

export interface Pack {
  readonly key: string;
  readonly int8: Format | undefined;
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
    readonly relaxed: boolean,
  ) {}

  take(buffer: WasmBuffer, matrix: Matrix, int8: Format | undefined): Pack {
    const key = Object.values({ ...matrix, int8: int8 !== undefined }).join();
    const packs = shared.get(buffer) ?? new Map<string, Pack>();
    shared.set(buffer, packs);
    let pack = packs.get(key);
    if (!pack) {
      const { depth, width } = matrix;
      const address = this.memory.take(int8 ? int8.bytes(depth, width) : packedBytes(depth, width));
      packs.set(key, (pack = { key, int8, matrix, buffer, address, version: -1, users: 0 }));
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
      if (pack.int8) pack.int8.pack(this.memory, pack.matrix, pack.address);
      else this.#pack(pack);
      pack.version = pack.buffer.version;
    }
  }

  #pack({ matrix, address }: Pack): void {
    const { from, depthStride, columnStride, depth, width } = matrix;
    let j = 0;
    for (const wide of matrix.abreast ? abreast(this.relaxed, depth) : [1])
      for (; j + PANEL * (wide - 1) < width; j += PANEL * wide) {
        const columns = Math.min(width - j, PANEL * wide);
        const at = address + 4 * depth * j;
        this.exports.pack(
          from + j * columnStride,
          depthStride,
          columnStride,
          depth,
          columns,
          at,
          4 * PANEL,
          4 * PANEL * wide,
        );
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
