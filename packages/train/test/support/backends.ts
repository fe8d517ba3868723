/** The backends that training is tested on. */
import { openCpu } from "@recurra/backend-cpu";
import { openWasm } from "@recurra/backend-wasm";
import type { SyncBackend, Tensor } from "@recurra/core";

export const backends: readonly (readonly [string, () => SyncBackend | Promise<SyncBackend>])[] = [
  ["cpu", (): SyncBackend => openCpu()],
  ["wasm", (): Promise<SyncBackend> => openWasm()],
];

/** Numbers from −1 to 1 that look like nothing, the same every time. */
export function numbers(seed: number): (...shape: number[]) => Tensor {
  let i = seed * 1000;
  return (...shape) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
      const wave = Math.sin(++i * 12.9898) * 43758.5453;
      return 2 * (wave - Math.floor(wave)) - 1;
    }),
  });
}
