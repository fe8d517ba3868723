import {
  createModel,
  dense,
  dropout,
  gru,
  lstm,
  recurrent,
  stack,
  type Backend,
  type Model,
} from "@recurra/core";
import { openCpu } from "@recurra/backend-cpu";
import { openWasm } from "@recurra/backend-wasm";
import { fail } from "@recurra/core/internal";
import { describe, expect, it } from "vitest";
import { openLater } from "../../core/test/support/later-backend.ts";
import { openPlain } from "../../core/test/support/plain-backend.ts";
import type { Snapshot } from "../src/checkpoint/checkpoint.ts";
import { batches, streamed } from "../src/data/batches.ts";
import { continuous } from "../src/data/continuous.ts";
import type { Data, Example } from "../src/data/data.ts";
import { windows } from "../src/data/windows.ts";
import type { EpochEvent, FitEvent } from "../src/events.ts";
import { evaluate, fit } from "../src/fit.ts";
import type { FittingOptions } from "../src/fitting.ts";
import { crossEntropy, meanSquared } from "../src/losses/index.ts";
import { rmse } from "../src/metrics.ts";
import { derived } from "../src/random.ts";
import { plateau } from "../src/schedules.ts";
import { sgd } from "../src/optimizers/index.ts";
import { inMemory } from "./support/in-memory.ts";
import { refuses } from "./support/refuses.ts";

const wave = (time: number) => ({
  shape: [time, 1],
  data: Float32Array.from({ length: time }, (_, t) => Math.sin(t / 3)),
});
/** Sequences of several lengths; the target at a step is the mean so far. */
const ragged = Array.from({ length: 40 }, (_, i): Example => {
  const draw = derived(7, i);
  const length = 1 + Math.floor(draw() * 9);
  const data = Float32Array.from({ length }, draw);
  const means = data.map((_v, t) => data.slice(0, t + 1).reduce((a, b) => a + b) / (t + 1));
  return { x: { shape: [length, 1], data }, target: { shape: [length, 1], data: means } };
});

const network = () =>
  stack(
    recurrent(gru, { inputSize: 1, hiddenSize: 6, layers: 2, dropout: 0.2 }),
    dropout(0.1),
    dense({ inputSize: 6, outputSize: 1 }),
  );
const loss = meanSquared();
const how = { loss, optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) };
const modelOn = (backend: Backend): Model => createModel(network(), backend, { seed: 3 });

/** All events, up to `stop`. */
async function run(model: Model, data: Data, options: FittingOptions, stop = Infinity): Promise<FitEvent[]> {
  const events: FitEvent[] = [];
  for await (const event of fit(model, data, { ...how, ...options })) {
    events.push(event);
    if (events.length >= stop) break;
  }
  return events;
}

const epochsOf = (events: FitEvent[]) =>
  events.filter((event): event is EpochEvent => event.type === "epoch");

const kinds: Record<string, () => Data> = {
  "ragged batches": () => batches(ragged, { batchSize: 4, seed: 5 }),
  "streamed examples": () => streamed(() => ragged, { batchSize: 4, seed: 5 }),
  "a continuous series": () => continuous(wave(200), { batchSize: 4, length: 7 }),
};

describe.each([
  ["cpu", () => openCpu()],
  ["wasm", () => openWasm()],
] as const)("fit on %s", (_, open) => {
  it("learns, and tells of it", async () => {
    const model = modelOn(await open());
    const data = batches(ragged, { batchSize: 4, seed: 5 });
    const events = await run(model, data, { epochs: 15, metrics: [rmse()] });
    const epochs = epochsOf(events);
    expect(epochs.length).toBe(15);
    expect(events.filter(({ type }) => type === "step").length).toBe(150);
    expect(events.at(-1)).toEqual({ type: "end", reason: "epochs", epochs: 15, step: 150, best: undefined });
    expect(epochs[14]?.loss).toBeLessThan(0.5 * (epochs[0]?.loss as number));
    expect(epochs[14]?.metrics.rmse).toBeCloseTo(Math.sqrt(epochs[14]?.loss as number), 6);
  });

  it("gives the same bits for the same run", async () => {
    const [a, b] = [modelOn(await open()), modelOn(await open())];
    const options = { epochs: 2, validation: batches(ragged, { batchSize: 9 }) };
    const first = await run(a, batches(ragged, { batchSize: 4, seed: 5 }), options);
    expect(await run(b, batches(ragged, { batchSize: 4, seed: 5 }), options)).toEqual(first);
    expect(b.parameters()).toEqual(a.parameters());
  });

  it.each(Object.keys(kinds))("goes on from any checkpoint to the same bits: %s", async (kind) => {
    const data = (kinds[kind] as () => Data)();
    const options = { epochs: 3, validation: batches(ragged.slice(0, 9), { batchSize: 4 }) };
    const whole = inMemory(1);
    const model = modelOn(await open());
    const events = await run(model, data, { ...options, checkpoint: whole });
    expect(whole.saves.length).toBe(3 * (data.size ?? 10) + 3);
    for (let i = 0; i < whole.saves.length; i += 4) {
      const again = inMemory();
      again.saves.push(whole.saves[i] as Snapshot);
      const other = createModel(network(), await open(), { seed: 4 });
      const rest = await run(other, data, { ...options, checkpoint: again });
      expect(rest).toEqual(events.slice(events.length - rest.length));
      expect(other.parameters()).toEqual(model.parameters());
    }
  });
});

describe("fit", () => {
  it("carries the state on in truncated back-propagation through time", async () => {
    const model = modelOn(openCpu());
    const whole = await evaluate(model, continuous(wave(61), { batchSize: 2, length: 30 }), { loss });
    const cut = await evaluate(model, continuous(wave(61), { batchSize: 2, length: 7 }), { loss });
    // Rows are the same bits; the weights of their means are rounded to float32.
    expect(Math.abs(cut.loss - whole.loss)).toBeLessThan(2 * 2 ** -24 * whole.loss);
    const forgetful: Data = {
      *batches() {
        for (const batch of continuous(wave(61), { batchSize: 2, length: 7 }).batches(0) as Iterable<object>)
          yield { ...(batch as ReturnType<typeof JSON.parse>), continues: false };
      },
    };
    expect(Math.abs((await evaluate(model, forgetful, { loss })).loss - whole.loss)).toBeGreaterThan(1e-4);
  });

  it("stops when patience is over, with the best parameters", async () => {
    // What is validated on has another sign, so that every step makes it worse, but for the first few.
    const data = batches(windows(wave(60), { length: 5, target: "all" }), { batchSize: 8, seed: 1 });
    const validation = batches(
      windows({ shape: [30, 1], data: wave(30).data.map((v) => -v) }, { length: 5, target: "all" }),
      { batchSize: 8 },
    );
    const model = createModel(
      stack(recurrent(lstm, { inputSize: 1, hiddenSize: 4 }), dense({ inputSize: 4, outputSize: 1 })),
      openCpu(),
      { seed: 1 },
    );
    const events: FitEvent[] = [];
    const after: number[] = [];
    const options = {
      epochs: 50,
      validation,
      patience: 3,
      schedule: (step: number) => (step < 14 ? 0.001 : 0.5),
    };
    for await (const event of fit(model, data, { ...how, ...options })) {
      events.push(event);
      if (event.type === "epoch") after.push((await evaluate(model, validation, { loss })).loss);
    }
    const least = after.indexOf(Math.min(...after));
    expect(events.at(-1)).toMatchObject({
      type: "end",
      reason: "patience",
      epochs: least + 4,
      best: { epoch: least, loss: after[least] },
    });
    expect(after.length).toBe(least + 4);
    expect((await evaluate(model, validation, { loss })).loss).toBe(after[least]);
    expect(
      epochsOf(events)
        .map(({ best }) => best)
        .lastIndexOf(true),
    ).toBe(least);
  });

  it("takes the learning rate of a schedule", async () => {
    const events = await run(modelOn(openCpu()), batches(ragged, { batchSize: 20 }), {
      epochs: 2,
      schedule: (step) => 1 / (1 + step),
    });
    expect(events.flatMap((event) => (event.type === "step" ? [event.learningRate] : []))).toEqual([
      1,
      1 / 2,
      1 / 3,
      1 / 4,
    ]);
  });

  it("begins a plateau schedule anew, whatever it was used for before", async () => {
    const schedule = plateau({ learningRate: 0.1, patience: 0, threshold: 0.9 });
    const rates = async () =>
      (await run(modelOn(openCpu()), batches(ragged, { batchSize: 20 }), { epochs: 3, schedule })).flatMap(
        (event) => (event.type === "step" ? [event.learningRate] : []),
      );
    const first = await rates();
    expect(new Set(first).size).toBe(2);
    expect(await rates()).toEqual(first);
  });

  it("can go on for more epochs than before", async () => {
    const [a, b] = [modelOn(openCpu()), modelOn(openCpu())];
    const data = batches(ragged, { batchSize: 4, seed: 5 });
    await run(a, data, { epochs: 4 });
    const checkpoint = inMemory();
    await run(b, data, { epochs: 2, checkpoint });
    await run(b, data, { epochs: 4, checkpoint });
    expect(b.parameters()).toEqual(a.parameters());
    expect(await run(b, data, { epochs: 4, checkpoint })).toMatchObject([
      { type: "end", reason: "epochs", epochs: 4 },
    ]);
    expect(b.parameters()).toEqual(a.parameters());
  });

  it("is cancelled by a signal, after the batch at hand", async () => {
    const controller = new AbortController();
    const events: FitEvent[] = [];
    const reason = new Error("enough");
    const running = async () => {
      const data = batches(ragged, { batchSize: 4, seed: 5 });
      for await (const event of fit(modelOn(openCpu()), data, {
        ...how,
        epochs: 2,
        signal: controller.signal,
      })) {
        events.push(event);
        if (events.length === 3) controller.abort(reason);
      }
    };
    await expect(running()).rejects.toBe(reason);
    expect(events.length).toBe(3);
  });

  it("ends by the signal's reason when it's cancelled at its last batch", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const running = async () => {
      const data = batches(ragged, { batchSize: 20 });
      const options = { ...how, epochs: 1, signal: controller.signal };
      for await (const event of fit(modelOn(openCpu()), data, options))
        if (event.type === "step" && event.batch === 1) controller.abort(reason);
    };
    await expect(running()).rejects.toBe(reason);
  });

  it("has the model's parameters up to date after every epoch, on a backend that answers later too", async () => {
    const data = batches(ragged, { batchSize: 20 });
    const parametersOn = async (backend: Backend) => {
      const model = modelOn(backend);
      const found = [];
      for await (const event of fit(model, data, { ...how, epochs: 2 }))
        if (event.type !== "step") found.push(model.parameters());
      return found;
    };
    const wanted = await parametersOn(openPlain());
    expect(wanted[1]).not.toEqual(wanted[0]);
    expect(await parametersOn(openLater())).toEqual(wanted);
  });

  it("tells when the parameters can't be read, unless the model is gone", async () => {
    const { read, ...rest } = openLater();
    let lost = false;
    const backend: Backend = {
      ...rest,
      read: async (...given) =>
        lost ? fail("DEVICE_LOST", "device: expected one, got none") : read(...given),
    };
    const run = async (act: (model: Model) => "leave" | "stay") => {
      const model = modelOn(backend);
      for await (const event of fit(model, batches(ragged, { batchSize: 20 }), { ...how, epochs: 1 })) {
        expect(event.type).toBe("step");
        if (act(model) === "leave") break;
      }
    };
    await run((model) => (model.dispose(), "leave"));
    await refuses(() => run(() => ((lost = true), "leave")), "DEVICE_LOST", /^device/);
    // What has ended the run comes before what can't be read after it.
    lost = false;
    await refuses(() => run(() => ((lost = true), "stay")), "DEVICE_LOST", /^batch 1 of epoch 0: device/);
  });

  it("yields to the event loop after every batch", async () => {
    let turns = 0;
    let on = true;
    const count = () => {
      turns++;
      if (on) setImmediate(count);
    };
    setImmediate(count);
    const events = await run(modelOn(openCpu()), batches(ragged, { batchSize: 4 }), { epochs: 1 });
    on = false;
    expect(turns).toBeGreaterThanOrEqual(events.filter(({ type }) => type === "step").length);
  });

  describe("refuses, before any parameter changes,", () => {
    const spoilt = (
      change: (batch: {
        x: { data: Float32Array };
        lengths?: number[];
        target: { shape: number[]; data: Float32Array };
      }) => void,
    ): Data => ({
      *batches() {
        for (let i = 0; i < 3; i++) {
          const batch = {
            x: { shape: [4, 2, 1], data: new Float32Array(8).fill(0.5) },
            target: { shape: [4, 2, 1], data: new Float32Array(8) },
            lengths: [4, 2],
          };
          if (i === 1) change(batch);
          yield batch;
        }
      },
    });
    it.each([
      [
        "NaN in the input",
        spoilt(({ x }) => (x.data[2] = NaN)),
        "NON_FINITE",
        /batch 1 of epoch 0: input x: batch row 0, step 1: .* NaN/,
      ],
      [
        "infinity in the target",
        spoilt(({ target }) => (target.data[3] = Infinity)),
        "NON_FINITE",
        /batch 1 of epoch 0: meanSquared: batch row 1, step 1: .* Infinity/,
      ],
      [
        "a length past the sequence",
        spoilt((batch) => (batch.lengths = [4, 5])),
        "INVALID_ARGUMENT",
        /batch 1 of epoch 0: lengths: row 1/,
      ],
      [
        "a target that doesn't fit",
        spoilt(({ target }) => (target.shape = [2, 4, 1])),
        "SHAPE_MISMATCH",
        /batch 1 of epoch 0/,
      ],
      ["no data", { batches: () => [] }, "INVALID_ARGUMENT", /at least one batch, got none in epoch 0/],
    ] as const)("%s", async (_name, data, code, says) => {
      const model = modelOn(openCpu());
      let before = model.parameters();
      await refuses(
        async () => {
          for await (const _event of fit(model, data, { ...how, epochs: 1 })) before = model.parameters();
        },
        code,
        says,
      );
      expect(model.parameters()).toEqual(before);
    });

    it("takes what lies past a row's end, whatever it is", async () => {
      const events = await run(
        modelOn(openCpu()),
        spoilt(({ x, target }) => (x.data[7] = target.data[5] = NaN)),
        { epochs: 1 },
      );
      expect(events.every((event) => event.type === "end" || Number.isFinite(event.loss))).toBe(true);
    });

    it.each([
      [{ epochs: 0 }, /epochs/],
      [{ epochs: 1, patience: 2 }, /patience: .* validation/],
      [{ epochs: 1, validation: { batches: () => [] } }, /validation data, got none/],
      [{ epochs: 1, checkpoint: { ...inMemory(), every: 0.5 } }, /every/],
    ] as const)("options that make no sense: %o", (options, says) =>
      refuses(
        () => run(modelOn(openCpu()), batches(ragged, { batchSize: 4 }), options),
        "INVALID_ARGUMENT",
        says,
      ),
    );

    it("validation data in which nothing counts", () => {
      const nothing = ragged.map(({ x: { shape } }) => ({
        x: { shape, data: new Float32Array(shape[0] as number) },
        target: { shape: [shape[0] as number], data: new Int32Array(shape[0] as number).fill(-100) },
      }));
      const model = createModel(stack(dense({ inputSize: 1, outputSize: 3 })), openCpu());
      const data = batches(nothing, { batchSize: 40 });
      return refuses(
        () => run(model, data, { epochs: 1, validation: data, loss: crossEntropy() } as FittingOptions),
        "INVALID_ARGUMENT",
        /^validate: expected data of which something has a loss, got none/,
      );
    });

    it("a checkpoint of another run", async () => {
      const checkpoint = inMemory();
      const data = batches(ragged, { batchSize: 4 });
      await run(modelOn(openCpu()), data, { epochs: 1, checkpoint });
      await refuses(
        () => run(modelOn(openCpu()), data, { epochs: 2, seed: 1, checkpoint }),
        "INVALID_ARGUMENT",
        /seed 1.* seed 0/,
      );
      const other = createModel(stack(dense({ inputSize: 1, outputSize: 1 })), openCpu());
      await expect(run(other, data, { epochs: 2, checkpoint })).rejects.toThrow(/moment .* expected one of/);
      checkpoint.saves.push({ tensors: {}, metadata: {} });
      await refuses(() => run(modelOn(openCpu()), data, { epochs: 2, checkpoint }), "FILE_ERROR", /format/);
    });
  });
});
