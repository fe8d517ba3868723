/** Where a run is kept, so that it can go on after any end. `@recurra/train/node` has one in a file. */
import type { Tensor } from "@recurra/core";

/** All that a run depends on: what a file of safetensors can hold. */
export interface Snapshot {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Checkpoint {
  /** Also every so many batches; without it at the end of an epoch only. */
  readonly every?: number;
  /** The last one that was saved whole; undefined where there is none. */
  load(): Promise<Snapshot | undefined>;
  /** Done only when no end of the process or the machine can undo it. */
  save(snapshot: Snapshot): Promise<void>;
}
