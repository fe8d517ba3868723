/** Cancelling a run by a signal, wherever it is. */
import { openCpu } from "@recurra/backend-cpu";
import { createModel, dense, lstm, recurrent, stack } from "@recurra/core";
import { describe, expect, it } from "vitest";
import { batches, fit, meanSquared, sgd, type Data, type DataBatch, type Signal } from "../src/index.ts";
import { numbers } from "./support/backends.ts";

const open = () =>
  createModel(
    stack(recurrent(lstm, { inputSize: 2, hiddenSize: 3 }), dense({ inputSize: 3, outputSize: 4 })),
    openCpu(),
  );
const examples = Array.from({ length: 4 }, (_, i) => ({
  x: numbers(i)(3, 2),
  target: numbers(i + 9)(3, 4),
}));
const data = batches(examples, { batchSize: 2 });
const how = { loss: meanSquared(), optimizer: sgd({ learningRate: 0.1 }), epochs: 2 };
const reason = new Error("enough");

describe("a run that is cancelled", () => {
  it("at the end of an epoch takes no further step", async () => {
    const controller = new AbortController();
    const model = open();
    let after = model.parameters();
    const running = async () => {
      for await (const event of fit(model, data, { ...how, signal: controller.signal })) {
        if (event.type !== "epoch") continue;
        after = model.parameters();
        controller.abort(reason);
      }
    };
    await expect(running()).rejects.toBe(reason);
    expect(model.parameters()).toEqual(after);
  });

  it.each<[string, (never: Data) => { readonly from: Data; readonly validation?: Data }]>([
    ["its data", (never) => ({ from: never })],
    ["its validation data", (never) => ({ from: data, validation: never })],
  ])("while %s is awaited ends at once, whatever the data does, and the model is free", async (_, given) => {
    const controller = new AbortController();
    const model = open();
    let asked = () => {};
    const waits = new Promise<void>((resolve) => (asked = resolve));
    const never: Data = {
      async *batches() {
        yield [...(data.batches(0) as Iterable<DataBatch>)][0] as DataBatch;
        asked();
        await new Promise(() => {});
      },
    };
    const { from, ...rest } = given(never);
    const running = finish(fit(model, from, { ...how, ...rest, signal: controller.signal }));
    await waits;
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    await finish(fit(model, data, how));
  });

  it("lets go of the signal after every batch, and closes data that answers", async () => {
    const listeners = new Set<() => void>();
    const signal: Signal = {
      aborted: false,
      reason: undefined,
      addEventListener: (_type, listener) => void listeners.add(listener),
      removeEventListener: (_type, listener) => void listeners.delete(listener),
    };
    let closed = 0;
    const source: Data = {
      async *batches() {
        try {
          for (const batch of data.batches(0) as Iterable<DataBatch>) {
            await Promise.resolve();
            yield batch;
          }
        } finally {
          closed++;
        }
      },
    };
    for await (const event of fit(open(), source, { ...how, signal })) {
      expect(listeners.size).toBe(0);
      if (event.type === "step" && event.epoch === 1) break;
    }
    expect(closed).toBe(2);
  });
});

async function finish(events: AsyncIterable<unknown>): Promise<void> {
  for await (const event of events) expect(event).toBeDefined();
}
