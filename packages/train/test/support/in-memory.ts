/** A checkpoint in memory, through copies, as a file would hold it. */
import type { Checkpoint, Snapshot } from "../../src/checkpoint/checkpoint.ts";

/** @param from what was saved before */
export function inMemory(every?: number, from: readonly Snapshot[] = []): Checkpoint & { saves: Snapshot[] } {
  const saves = [...from];
  return {
    ...(every !== undefined && { every }),
    saves,
    load: async () => structuredClone(saves.at(-1)),
    save: async (snapshot) => void saves.push(structuredClone(snapshot)),
  };
}
