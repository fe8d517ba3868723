// What is trained and how, said once for Recurra and for PyTorch.
import type { Data, Schedule, Trainer } from "@recurra/train";
import type { Net } from "./net.ts";

export interface Experiment {
  readonly net: Net;
  /** Of the initial parameters. */
  readonly seed: number;
  readonly loss: "meanSquared" | "crossEntropy";
  /** Adam's. */
  readonly learningRate: number;
  /** The largest norm of a gradient. */
  readonly clip: number;
  readonly data: Data;
  readonly epochs: number;
  readonly schedule?: Schedule;
  /** Its loss chooses the parameters that are kept. */
  readonly validation?: Data;
  /** Epochs without a lower loss there before it stops. */
  readonly patience?: number;
}

/** What trains: Recurra on one of its backends, or a peer. */
export interface Engine {
  readonly name: string;
  /** A trainer that owns all it needs. */
  open(experiment: Experiment): Promise<Trainer>;
  dispose(): void;
}
