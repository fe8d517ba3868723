/** Parameters as gemms read them: packed once, and again after they have changed. Programs of a model share them. */
import { panelsOfRow } from "./engine/gemm.ts";
import { PANEL } from "./engine/tile.ts";
import type { Format } from "./format.ts";
import { packedBytes } from "./launch.ts";
import type { Matrix } from "./matrix.ts";
import type { Memory, WasmBuffer } from "./memory.ts";
import type { Exports } from "./webassembly.ts";

interface Pack {
  readonly matrix: Matrix;
  readonly int8: Format | undefined;
  readonly buffer: WasmBuffer;
  readonly address: number;
  /** The buffer's, when it was packed. */
  version: number;
  users: number;
}

const shared = new WeakMap<WasmBuffer, Map<string, Pack>>();

/** The packs of one bound program. */
export interface Packs {
  /** Where a matrix of a buffer will lie packed. */
  take(buffer: WasmBuffer, matrix: Matrix, int8: Format | undefined): number;
  /** Pack what has changed. */
  refresh(): void;
  dispose(): void;
}

export function packsOf(memory: Memory, exports: Exports, relaxed: boolean): Packs {
  const taken: Pack[] = [];
  const drop: (() => void)[] = [];

  function pack({ from, depthStride, columnStride, depth, width, abreast }: Matrix, to: number): void {
    let j = 0;
    for (const wide of abreast ? panelsOfRow(relaxed, depth, abreast === 2) : [1])
      for (; j + PANEL * (wide - 1) < width; j += PANEL * wide)
        exports.pack(
          from + j * columnStride,
          depthStride,
          columnStride,
          depth,
          Math.min(width - j, PANEL * wide),
          to + 4 * depth * j,
          4 * PANEL,
          4 * PANEL * wide,
        );
  }

  return {
    take(buffer, matrix, int8) {
      const key = Object.values({ ...matrix, int8: int8?.name }).join();
      const packs = shared.get(buffer) ?? new Map<string, Pack>();
      shared.set(buffer, packs);
      const { depth, width } = matrix;
      const found = packs.get(key) ?? {
        matrix,
        int8,
        buffer,
        address: memory.take(int8 ? int8.bytes(depth, width) : packedBytes(depth, width)),
        version: -1,
        users: 0,
      };
      packs.set(key, found);
      found.users++;
      taken.push(found);
      drop.push(() => {
        if (--found.users > 0) return;
        packs.delete(key);
        memory.give(found.address);
      });
      return found.address;
    },
    refresh() {
      for (let i = 0; i < taken.length; i++) {
        const { int8, matrix, address, buffer, version } = taken[i]!;
        if (version === buffer.version) continue;
        if (int8) int8.pack(memory, matrix, address);
        else pack(matrix, address);
        taken[i]!.version = buffer.version;
      }
    },
    dispose() {
      for (const release of drop.splice(0)) release();
    },
  };
}
