/** What a user may get wrong: each gives a clear error that names the row, and changes nothing. */
import { createModel, dense, embedding, last, lstm, recurrent, stack, type ErrorCode } from "@recurra/core";
import { fail } from "@recurra/core/internal";
import { openCpu } from "@recurra/backend-cpu";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as train from "../src/index.ts";
import {
  adam,
  batches,
  createTrainer,
  crossEntropy,
  meanSquared,
  rmse,
  sgd,
  type Batch,
  type Data,
  type TrainerOptions,
} from "../src/index.ts";
import { checkpointFile } from "../src/node.ts";
import { numbers } from "./support/backends.ts";
import { refuses } from "./support/refuses.ts";

const [T, B, I, C] = [3, 2, 2, 4];
const x = numbers(31)(T, B, I);
const ids = { shape: [T, B], data: Int32Array.of(0, 1, 2, 3, 0, 1) };
const values = numbers(32)(T, B, C);
const spoil = (data: Float32Array, i: number, value: number) => data.map((v, j) => (i === j ? value : v));

const open = (end = false) =>
  createModel(
    stack(
      recurrent(lstm, { inputSize: I, hiddenSize: 3 }),
      ...(end ? [last] : []),
      dense({ inputSize: 3, outputSize: C }),
    ),
    openCpu(),
  );

/** As a caller without types would give it. */
const untyped = <T>(value: unknown): T => value as T;

const oneId = (...of: number[]) => ({ shape: [of.length], data: Int32Array.from(of) });
const examples = Array.from({ length: 4 }, (_, i) => ({
  x: numbers(i)(3, I),
  target: numbers(i + 9)(3, C),
}));
const data = batches(examples, { batchSize: 2 });
const how = { loss: meanSquared(), optimizer: sgd({ learningRate: 0.1 }), epochs: 1 };

async function finish(events: AsyncIterable<unknown>): Promise<void> {
  for await (const event of events) expect(event).toBeDefined();
}

const classes: TrainerOptions = { loss: crossEntropy(), optimizer: adam() };
const distances: TrainerOptions = { loss: meanSquared(), optimizer: adam() };

describe("a batch", () => {
  it.each<[string, TrainerOptions, Batch, RegExp, boolean?]>([
    ["a label too large", classes, { x, target: { ...ids, data: Int32Array.of(0, 1, 2, 4, 0, 1) } }, /crossEntropy: batch row 1, step 1: expected a class from 0 to 3, got 4.*INVALID_ARGUMENT/],
    ["a label below 0", classes, { x, target: { ...ids, data: Int32Array.of(0, 1, 2, 3, -1, 1) } }, /batch row 0, step 2: expected a class from 0 to 3, got -1/],
    ["a label that isn't whole", classes, { x, target: { ...ids, data: Float32Array.of(0, 1, 2.5, 3, 0, 1) } }, /batch row 0, step 1: .*got 2.5/],
    ["a label, by the last step", classes, { x, target: { shape: [B], data: Int32Array.of(0, 7) } }, /batch row 1: expected a class/, true],
    ["labels of another shape", classes, { x, target: { shape: [B, T], data: ids.data } }, /expected a target of shape \[3, 2\] \(\[time, batch\].*got \[2, 3\].*SHAPE_MISMATCH/],
    ["labels a step for an output a sequence", classes, { x, target: ids }, /expected a target of shape \[2\]/, true],
    ["labels for values", distances, { x, target: ids }, /expected a target of shape \[3, 2, 4\]/],
    ["values for labels", classes, { x, target: values }, /expected a target of shape \[3, 2\]/],
    ["whole numbers for values", distances, { x, target: { shape: [T, B, C], data: new Int32Array(24) } }, /in a Float32Array, got 24 in Int32Array/],
    ["too few", classes, { x, target: { shape: [T, B], data: Int32Array.of(0) } }, /expected 6 values/],
    ["no target", classes, { x } as unknown as Batch, /got undefined/],
    ["NaN in x", classes, { x: { ...x, data: spoil(x.data, 7, NaN) }, target: ids }, /input x: batch row 1, step 1: expected finite numbers, got NaN in column 1.*NON_FINITE/],
    ["Infinity in x", classes, { x: { ...x, data: spoil(x.data, 0, Infinity) }, target: ids }, /input x: batch row 0, step 0/],
    ["NaN in the target", distances, { x, target: { ...values, data: spoil(values.data, 13, NaN) } }, /meanSquared: batch row 1, step 1: expected a finite target, got NaN.*NON_FINITE/],
    ["lengths longer than the sequence", classes, { x, target: ids, lengths: [3, 4] }, /lengths: row 1: expected a whole number from 0 to 3, got 4/],
    ["too many lengths", classes, { x, target: ids, lengths: [3, 3, 3] }, /lengths: expected 2/],
    ["a share that is none", { ...distances, loss: train.binaryCrossEntropy() }, { x, target: values }, /binaryCrossEntropy: batch row 0, step 0: expected a target from 0 to 1/],
    ["nothing", classes, undefined as unknown as Batch, /a batch \{ x, target \}, got undefined/],
  ])("with %s is refused", async (_, options, batch, says, end) => {
    const model = open(end);
    const trainer = createTrainer(model, options);
    const before = await trainer.state();
    await expect(trainer.step(batch)).rejects.toThrow(says);
    await expect(trainer.evaluate(batch)).rejects.toThrow(says);
    expect(await trainer.state()).toEqual(before);
  });

  it("may hold anything past its rows' ends", async () => {
    const trainer = createTrainer(open(), distances);
    const lengths = [3, 1];
    const batch = { x: { ...x, data: spoil(x.data, 7, NaN) }, target: { ...values, data: spoil(values.data, 13, NaN) }, lengths };
    const { loss } = await trainer.step(batch);
    expect(loss).toBe((await createTrainer(open(), distances).step({ x, target: values, lengths })).loss);
  });
}); // prettier-ignore

describe("a batch of which nothing counts", () => {
  it.each([0, 0.2])("changes nothing: classes without weight, smoothing %d", async (labelSmoothing) => {
    const loss = crossEntropy({ weights: [0, 1, 1, 1], labelSmoothing });
    const model = open();
    const before = model.parameters();
    const trainer = createTrainer(model, { loss, optimizer: sgd({ learningRate: 1 }) });
    const target = { shape: [T, B], data: new Int32Array(T * B) };
    expect(await trainer.step({ x, target })).toMatchObject({ loss: 0, weight: 0, step: 1 });
    expect(model.parameters()).toEqual(before);
  });
});

describe("ids", () => {
  const network = stack(embedding({ vocabularySize: 5, outputSize: 2 }), dense({ inputSize: 2, outputSize: C }));
  const trainer = createTrainer(createModel(network, openCpu()), classes);
  const input = (...given: number[]) => ({ shape: [T, B], data: Int32Array.from(given) });
  it("out of range are refused, naming the row and the step", async () => {
    const step = (given: number[], more = {}) => () =>
      trainer.step({ x: input(...given), target: ids, ...more });
    await refuses(step([0, 1, 2, 3, 9, 0]), "INVALID_ARGUMENT", /^input x: expected ids from 0 to 4, got 9 at 4 \(batch row 0, step 2\)/);
    await refuses(step([0, 1, 2, 9, 0, 0], { lengths: [3, 2] }), "INVALID_ARGUMENT", /\(batch row 1, step 1\)/);
    const model = createModel(network, openCpu());
    const firstBatch = { shape: [B, T], data: Int32Array.of(0, 1, 2, 3, 9, 0) };
    await refuses(() => model.runSync(firstBatch, { batchFirst: true }), "INVALID_ARGUMENT", /\(batch row 1, step 1\)/);
  });
  it("may be anything past their rows' ends", async () => {
    const losses = await Promise.all(
      [0, -1, 5, 99].map(async (padding) => {
        const x = input(0, 1, 2, padding, 4, padding);
        return (await trainer.evaluate({ x, target: ids, lengths: [3, 1] })).loss;
      }),
    );
    expect(new Set(losses).size).toBe(1);
    const floating = Float32Array.of(0, 1, 2, -1, 4, -1);
    const batch = { x: { shape: [T, B], data: floating }, target: ids, lengths: [3, 1] };
    expect((await trainer.evaluate(batch)).loss).toBe(losses[0]);
    expect(floating[3]).toBe(-1);
  });
}); // prettier-ignore

describe("a trainer", () => {
  it.each<[string, unknown, RegExp]>([
    ["no loss", { optimizer: adam() }, /createTrainer: loss: expected a loss/],
    ["a loss's function", { ...classes, loss: crossEntropy }, /createTrainer: loss: expected a loss/],
    ["no optimizer", { loss: meanSquared() }, /createTrainer: optimizer/],
    ["an unknown option", { ...classes, rate: 1 }, /UNKNOWN_NAME/],
    ["a clip of 0", { ...classes, clip: { norm: 0 } }, /clip: norm: expected a number above 0, got 0/],
    [
      "weights of other classes",
      { ...classes, loss: crossEntropy({ weights: [1, 2] }) },
      /weights for the output's 4 classes, got 2/,
    ],
  ])("with %s is refused", (_, options, says) => {
    expect(() => createTrainer(open(), options as TrainerOptions)).toThrow(says);
  });

  it("for classes needs an output of several", () => {
    const model = createModel(stack(dense({ inputSize: 2, outputSize: 1 })), openCpu());
    expect(() => createTrainer(model, classes)).toThrow(/at least 2 classes, got 1/);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      "crossEntropy",
      () => crossEntropy({ labelSmoothing: 2 }),
      /labelSmoothing: expected a number from 0 to 1/,
    ],
    ["crossEntropy", () => crossEntropy({ weights: [1, NaN] }), /class 1: expected a finite number/],
    ["huber", () => train.huber({ delta: 0 }), /huber: delta: expected a number above 0/],
    ["adam", () => adam({ beta1: 1 }), /adam: beta1: expected a number from 0 to below 1, got 1/],
    ...(["adam", "adamW", "nadam", "radam", "rmsprop", "adagrad"] as const).map(
      (name): [string, () => unknown, RegExp] => [
        name,
        () => train[name]({ epsilon: 1e-46 }),
        new RegExp(`^${name}: epsilon: expected a number from 1\\.4`),
      ],
    ),
    [
      "adam",
      () => adam({ learningRate: 1e39 }),
      /adam: learningRate: expected a number from 0 to below 3\.4/,
    ],
    ["adam", () => adam({ learningRate: untyped(null) }), /adam: learningRate: .* got null/],
    ["adam", () => adam({ rate: 1 } as object), /UNKNOWN_NAME/],
    ["sgd", () => train.sgd({ nesterov: true }), /nesterov: expected a momentum/],
    ["cosine", () => train.cosine({ learningRate: 1, steps: 0 }), /cosine: steps/],
    ["plateau", () => train.plateau({ learningRate: -1 }), /plateau: learningRate/],
  ])("%s refuses bad options", (_, make, says) => {
    expect(make).toThrow(says);
  });

  it("takes up a state, and refuses what isn't one", async () => {
    const one = createTrainer(open(), classes);
    await one.step({ x, target: ids });
    const saved = await one.state();
    const next = await one.step({ x, target: ids });
    const other = createTrainer(open(), classes);
    expect(() => other.restore({ ...saved, moments: {} })).toThrow(/the moment m\.0\.W, got none/);
    expect(() => other.restore({ ...saved, step: -1 })).toThrow(/step/);
    const untouched = await other.state();
    expect(untouched.step).toBe(0);
    other.restore(saved);
    expect(await other.step({ x, target: ids })).toEqual(next);
    expect(await other.state()).toEqual(await one.state());
  });

  it("isn't restored from a shallower network's state", async () => {
    const deeper = createModel(
      stack(
        recurrent(lstm, { inputSize: I, hiddenSize: 3 }),
        dense({ inputSize: 3, outputSize: 5 }),
        dense({ inputSize: 5, outputSize: C }),
      ),
      openCpu(),
    );
    const state = await createTrainer(open(), { ...distances, optimizer: sgd() }).state();
    const trainer = createTrainer(deeper, { ...distances, optimizer: sgd() });
    const before = await trainer.state();
    const { "1.W": W, "1.b": bias, ...rest } = state.parameters;
    expect(W && bias).toBeDefined();
    await refuses(
      () => trainer.restore({ ...state, parameters: rest }),
      "UNKNOWN_NAME",
      /the parameter 1\.W/,
    );
    expect(await trainer.state()).toEqual(before);
  });

  it("isn't restored from another optimizer's state that has such moments", async () => {
    const trainerOf = (optimizer: train.Optimizer) => createTrainer(open(), { ...distances, optimizer });
    const saved = await trainerOf(adam()).state();
    const [same, other] = [trainerOf(adam()), trainerOf(train.adamW())];
    same.restore(saved);
    await refuses(() => other.restore(saved), "INVALID_ARGUMENT", /a state of adamW, got "adam"/);
  });

  it("is of no use once it, or its model, was disposed", async () => {
    const model = open();
    createTrainer(model, classes).dispose();
    const trainer = createTrainer(model, classes);
    model.dispose();
    await expect(trainer.step({ x, target: ids })).rejects.toThrow(/DISPOSED/);
    trainer.dispose();
  });
});

describe("fit refuses, before a parameter changes,", () => {
  const given = (rest: object): object => ({ ...how, ...rest });
  it.each<[string, unknown, unknown, ErrorCode, RegExp]>([
    ["options null", data, null, "INVALID_ARGUMENT", /^fit: expected options/],
    ["metrics null", data, given({ metrics: null }), "INVALID_ARGUMENT", /^fit: metrics: expected a list/],
    ["a metric's function", data, given({ metrics: [rmse] }), "INVALID_ARGUMENT", /metrics: expected a metric, such as accuracy\(\)/],
    ["metrics of one name", data, given({ metrics: [rmse(), rmse()] }), "INVALID_ARGUMENT", /metrics: expected names that differ/],
    ["a metric that doesn't fit", data, given({ metrics: [train.accuracy()] }), "SHAPE_MISMATCH", /^batch 0 of epoch 0: accuracy/],
    ["validation that doesn't fit", data, given({ validation: batches([{ x: numbers(1)(3, 2), target: oneId(0, 1, 2) }], { batchSize: 1 }) }), "SHAPE_MISMATCH", /^batch 0 of the validation data: meanSquared/],
    ["no validation batches", data, given({ validation: { batches: () => undefined } }), "INVALID_ARGUMENT", /^batches of the validation data: expected something to iterate/],
    ["a metric that gives nothing", data, given({ metrics: [{ name: "n", of: () => undefined }] }), "INVALID_ARGUMENT", /^batch 0 of epoch 0: metric n: expected a sum and a weight, .* got undefined/],
    ["continues in a word", { batches: () => [{ x, target: values, continues: "yes" }] }, how, "INVALID_ARGUMENT", /^batch 0 of epoch 0: continues: expected true or false, got "yes"/],
    ["a loss without a definition", data, given({ loss: { name: "n", define: null } }), "INVALID_ARGUMENT", /^createTrainer: loss: expected a loss/],
    ["an optimizer without an update", data, given({ optimizer: { ...sgd(), update: null } }), "INVALID_ARGUMENT", /^createTrainer: optimizer: expected an optimizer/],
    ["a schedule that gives nothing", data, given({ schedule: () => undefined }), "INVALID_ARGUMENT", /^batch 0 of epoch 0: schedule: expected a number from 0, got undefined/],
    ["a rate that float32 doesn't have", data, given({ schedule: () => 1e39 }), "INVALID_ARGUMENT", /^batch 0 of epoch 0: trainer: learningRate: expected a rate that is finite in float32, with what the optimizer makes of it, got 1e\+39/],
    ["a rate that isn't finite with Adam's correction", data, given({ optimizer: adam({ learningRate: 1e38 }) }), "INVALID_ARGUMENT", /trainer: learningRate: .* got 1e\+38/],
    ["a plateau for what rises", data, given({ schedule: train.plateau({ learningRate: 1, mode: "max" }) }), "INVALID_ARGUMENT", /^fit: schedule: expected a plateau of mode "min", since it is told the loss, got "max"/],
    ["a controller as signal", data, given({ signal: new AbortController() }), "INVALID_ARGUMENT", /^fit: signal/],
    ["a path as checkpoint", data, given({ checkpoint: "run" }), "INVALID_ARGUMENT", /^fit: checkpoint/],
    ["checkpoint null", data, given({ checkpoint: null }), "INVALID_ARGUMENT", /^fit: checkpoint/],
    ["a checkpoint that can't be parsed", data, given({ checkpoint: { load: () => Promise.resolve({ tensors: {}, metadata: { format: "recurra training 1", run: "{" } }), save: () => Promise.resolve() } }), "FILE_ERROR", /expected a run's position/],
    ["a checkpoint of nothing", data, given({ checkpoint: { load: () => Promise.resolve({}), save: () => Promise.resolve() } }), "FILE_ERROR", /expected a snapshot/],
    ["a batch null", { batches: () => [null] }, how, "INVALID_ARGUMENT", /^batch 0 of epoch 0: expected a batch/],
    ["no batches", { batches: () => undefined }, how, "INVALID_ARGUMENT", /^batches of epoch 0: expected something to iterate/],
    ["a row that doesn't fit", batches([{ x: numbers(1)(3, 2), target: numbers(1)(3, 4) }, { x: numbers(1)(3, 1), target: numbers(1)(3, 4) }], { batchSize: 2 }), how, "SHAPE_MISMATCH", /^batch 0 of epoch 0: row 1: expected \[2\]/],
  ])("%s", async (_, from, options, code, says) => {
    const model = open();
    const before = model.parameters();
    await refuses(() => finish(train.fit(model, untyped<Data>(from), untyped(options))), code, says);
    expect(model.parameters()).toEqual(before);
  }); // prettier-ignore

  it("a checkpoint in a folder that isn't there", async () => {
    const model = open();
    const before = model.parameters();
    const folder = join(await mkdtemp(join(tmpdir(), "recurra-")), "none");
    const checkpoint = checkpointFile(join(folder, "run"));
    await refuses(() => finish(train.fit(model, data, { ...how, checkpoint })), "FILE_ERROR", /a folder that can be written/);
    expect(model.parameters()).toEqual(before);
  }); // prettier-ignore

  it("a model in the middle of another fit", async () => {
    const model = open();
    const first = train.fit(model, data, how);
    await first.next();
    const before = model.parameters();
    await refuses(
      () => finish(train.fit(model, data, how)),
      "BUSY",
      /^fit: expected a model that isn't being trained/,
    );
    expect(model.parameters()).toEqual(before);
    await first.return(undefined);
    await finish(train.fit(model, data, how));
    expect(model.parameters()).not.toEqual(before);
  });

  it("a checkpoint of more data", async () => {
    const saves: unknown[] = [];
    const checkpoint = untyped<train.Checkpoint>({
      every: 1,
      load: () => Promise.resolve(structuredClone(saves.at(-1))),
      save: (snapshot: unknown) => Promise.resolve(void saves.push(structuredClone(snapshot))),
    });
    for await (const event of train.fit(open(), batches(examples, { batchSize: 1 }), { ...how, checkpoint }))
      if (event.type === "step" && event.step === 3) break;
    const model = open();
    const before = model.parameters();
    await refuses(() => finish(train.fit(model, data, { ...how, checkpoint })), "INVALID_ARGUMENT", /^checkpoint: expected data of 4 batches an epoch, got 2/);
    expect(model.parameters()).toEqual(before);
  }); // prettier-ignore
});

describe("for a trainer of one's own", () => {
  const trainer = createTrainer(open(), distances);
  it.each<[string, () => unknown, RegExp]>([
    ["fitting without a trainer", () => train.fitting(untyped(null), data, { epochs: 1 }).next(), /^fit: expected a trainer/],
    ["validate without a trainer", () => train.validate(untyped(null), data), /^validate: expected a trainer/],
    ["validate without data", () => train.validate(trainer, untyped(null)), /^validate: expected data/],
    ["validate of metrics null", () => train.validate(trainer, data, untyped(null)), /^validate: metrics: expected a list/],
  ])("%s is refused", (_, act, says) => refuses(act, "INVALID_ARGUMENT", says)); // prettier-ignore
});

describe("a metric that fails on a later batch", () => {
  const labels = { shape: [B, 1], data: Int32Array.of(1, 2) };
  it.each<[string, train.FitOptions["loss"], (steps: number) => Batch["target"]]>([
    ["the device", meanSquared(), (steps) => numbers(4)(steps, B, C)],
    ["the host", train.ctc(), () => labels],
  ])("stops the run before that batch's step: a loss of %s", async (_, loss, target) => {
    const steps = [3, 4];
    const metrics: train.Metric[] = [
      {
        name: "short",
        of: ({ shape }) =>
          shape[0] === 4 ? fail("INVALID_ARGUMENT", "short: expected 3 steps, got 4") : { sum: 0, weight: 1 },
      },
    ];
    const given = { batches: () => steps.map((t) => ({ x: numbers(t)(t, B, I), target: target(t) })) };
    const model = open();
    const after = [model.parameters()];
    const running = async () => {
      for await (const event of train.fit(model, given, { ...how, loss, metrics }))
        if (event.type === "step") after.push(model.parameters());
    };
    await refuses(running, "INVALID_ARGUMENT", /^batch 1 of epoch 0: short/);
    expect(after.length).toBe(2);
    expect(after[1]).not.toEqual(after[0]);
    expect(model.parameters()).toEqual(after[1]);
  });
});

describe("a step refuses, before a parameter changes,", () => {
  const zeros = new Float32Array(6);
  it.each<[string, object, ErrorCode, RegExp]>([
    ["NaN in a state", { state: { "0.h": { shape: [2, 3], data: zeros.with(4, NaN) } } }, "NON_FINITE", /^state 0\.h: batch row 1: expected finite numbers, got NaN in column 1/],
    ["infinity in a state", { state: { "0.c": { shape: [2, 3], data: zeros.with(0, Infinity) } } }, "NON_FINITE", /^state 0\.c: batch row 0/],
    ["lengths null", { lengths: null }, "SHAPE_MISMATCH", /^lengths/],
    ["a misspelt key", { lenghts: [1, 1] }, "UNKNOWN_NAME", /lenghts/],
    ["lengths 0", { lengths: 0 }, "SHAPE_MISMATCH", /^lengths/],
    ["a state null", { state: null }, "INVALID_ARGUMENT", /^states/],
  ])("%s", async (_, rest, code, says) => {
    const trainer = train.createTrainer(open(), { loss: meanSquared(), optimizer: sgd() });
    const before = await trainer.state();
    await refuses(() => trainer.step({ x, target: values, ...rest }), code, says);
    expect(await trainer.state()).toEqual(before);
  }); // prettier-ignore

  it.each<[string, unknown, RegExp]>([
    ["no target for ctc", null, /^batch 0 of epoch 0: ctc: expected a target of ids/],
    ["a target without data", { shape: [2, 1], data: null }, /ctc: expected a target of ids .* in null/],
    ["a target in a list", { shape: [2, 1], data: [1, 2] }, /ctc: expected a target of ids .* in Array/],
  ])("%s", async (_, wrong, says) => {
    const given = untyped<Data>({ batches: () => [{ x, target: wrong }] });
    await refuses(() => finish(train.fit(open(), given, { ...how, loss: train.ctc() })), "SHAPE_MISMATCH", says);
  }); // prettier-ignore
});
