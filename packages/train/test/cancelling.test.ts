/** Cancelling a run by a signal, wherever it is. */
import { openCpu } from "@recurra/backend-cpu";
import { createModel, dense, lstm, recurrent, stack } from "@recurra/core";
import { describe, expect, it } from "vitest";
import { batches, fit, meanSquared, sgd } from "../src/index.ts";
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
});
