import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { FitEvent } from "../src/events.ts";
import { inTerminal, type Terminal } from "../src/terminal.ts";

/** Two epochs of three batches. */
async function* events(): AsyncGenerator<FitEvent> {
  for (let epoch = 0; epoch < 2; epoch++) {
    for (let batch = 0; batch < 3; batch++)
      yield {
        type: "step",
        epoch,
        batch,
        batches: 3,
        step: 3 * epoch + batch + 1,
        loss: 0.5 / (1 + epoch),
        learningRate: 0.1,
      };
    const validation = { loss: 2 - epoch, metrics: { accuracy: 0.5 } };
    yield {
      type: "epoch",
      epoch,
      step: 3 * epoch + 3,
      loss: 0.5 / (1 + epoch),
      metrics: {},
      validation,
      best: epoch === 1,
    };
  }
  yield { type: "end", reason: "epochs", epochs: 2, step: 6, best: { epoch: 1, loss: 1 } };
}

async function shown(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), {
    isTTY,
    columns: 80,
    cursorTo() {},
    clearLine() {},
    moveCursor() {},
  });
  const found: FitEvent[] = [];
  for await (const event of inTerminal(events(), stream as unknown as Terminal)) found.push(event);
  return { found, text: stripVTControlCharacters(String(stream.read())) };
}

describe("inTerminal", () => {
  it.each([true, false])(
    "hands events on, and shows epochs and the curve (a terminal: %s)",
    async (isTTY) => {
      const { found, text } = await shown(isTTY);
      const all = [];
      for await (const event of events()) all.push(event);
      expect(found).toEqual(all);
      expect(text).toContain("epoch 1  loss 0.5000  |  validation: loss 2.000  accuracy 0.5000\n");
      expect(text).toContain("epoch 2  loss 0.2500  |  validation: loss 1.000  accuracy 0.5000  best\n");
      expect(text).toContain("loss by epoch");
      expect(text).toMatch(/training[^]*validation/);
      expect(/3\/3/.test(text)).toBe(isTTY);
    },
  );
});
