/** Means over batches, kept as sums and weights, so that batches of any size make the mean of all. */
import { check } from "@recurra/core/internal";
import type { Metric } from "./metrics.ts";
import type { Batch, Evaluation } from "./types.ts";

export type Sums = Map<string, { readonly sum: number; readonly weight: number }>;

export interface Measured {
  /** The mean loss. */
  readonly loss: number;
  /** By name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** The loss is kept under a name that no metric has. */
const ofLoss = "";

export function addTo(
  sums: Sums,
  { loss, weight, output }: Evaluation,
  batch: Batch,
  metrics: readonly Metric[],
): void {
  const add = (name: string, of: ReturnType<Metric["of"]>): void => {
    const { sum, weight: before } = sums.get(name) ?? { sum: 0, weight: 0 };
    sums.set(name, { sum: sum + of.sum, weight: before + of.weight });
  };
  add(ofLoss, { sum: loss * weight, weight });
  for (const metric of metrics) {
    const found = metric.of(output, batch);
    const { sum, weight: counts } = (found ?? {}) as Partial<typeof found>;
    const ok = typeof sum === "number" && typeof counts === "number";
    check(ok, `metric ${metric.name}`, "a sum and a weight, { sum, weight }", found);
    add(metric.name, found);
  }
}

/** 0 where nothing counts. */
export function meansOf(sums: Sums, metrics: readonly Metric[]): Measured {
  const mean = (name: string): number => {
    const { sum, weight } = sums.get(name) ?? { sum: 0, weight: 0 };
    return weight === 0 ? 0 : sum / weight;
  };
  return {
    loss: mean(ofLoss),
    metrics: Object.fromEntries(
      metrics.map(({ name, finish }) => [name, finish ? finish(mean(name)) : mean(name)]),
    ),
  };
}
