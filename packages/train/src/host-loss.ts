/** A loss that is computed on the host, from the output: what no expression of the language can say. */
import type { Tensor } from "@recurra/core";
import type { Batch } from "./types.ts";

export interface HostLoss {
  readonly name: string;
  /**
   * @returns the mean loss, what it divided by, and its gradient with respect to the output
   * @throws RecurraError where the batch doesn't fit; naming the row
   */
  onHost(
    output: Tensor,
    batch: Batch,
  ): { readonly loss: number; readonly weight: number; readonly gradient: Tensor };
}
