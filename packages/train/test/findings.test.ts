/** What was found by misuse: each once passed in silence, gave a raw TypeError or a wrong number, or changed parameters first. */
import { createModel, dense, embedding, gru, lstm, recurrent, stack, type ErrorCode } from "@recurra/core";
import { openCpu } from "@recurra/backend-cpu";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as train from "../src/index.ts";
import { batches, meanSquared, oneCycle, rmse, sample, scale, sgd, type Data } from "../src/index.ts";
import { checkpointFile } from "../src/node.ts";
import { numbers } from "./support/backends.ts";
import { refuses } from "./support/refuses.ts";

/** As a caller without types would give it. */
const untyped = <T>(value: unknown): T => value as T;

const open = (outputs = 4) =>
  createModel(
    stack(
      recurrent(lstm, { inputSize: 2, hiddenSize: 3 }),
      dense({ inputSize: 3, outputSize: outputs }),
      ...(outputs === 5 ? [dense({ inputSize: 5, outputSize: 4 })] : []),
    ),
    openCpu(),
  );
const examples = Array.from({ length: 4 }, (_, i) => ({
  x: numbers(i)(3, 2),
  target: numbers(i + 9)(3, 4),
}));
const data = batches(examples, { batchSize: 2 });
const how = { loss: meanSquared(), optimizer: sgd({ learningRate: 0.1 }), epochs: 1 };
const ids = (...values: number[]) => ({ shape: [values.length], data: Int32Array.from(values) });
const floats = (shape: number[], ...values: number[]) => ({ shape, data: Float32Array.from(values) });

async function finish(events: AsyncIterable<unknown>): Promise<void> {
  for await (const event of events) expect(event).toBeDefined();
}

describe("fit refuses, before a parameter changes,", () => {
  const given = (rest: object): object => ({ ...how, ...rest });
  it.each<[string, unknown, unknown, ErrorCode, RegExp]>([
    ["options null", data, null, "INVALID_ARGUMENT", /^fit: expected options/],
    ["metrics null", data, given({ metrics: null }), "INVALID_ARGUMENT", /^fit: metrics: expected a list/],
    ["a metric's function", data, given({ metrics: [rmse] }), "INVALID_ARGUMENT", /metrics: expected a metric, such as accuracy\(\)/],
    ["metrics of one name", data, given({ metrics: [rmse(), rmse()] }), "INVALID_ARGUMENT", /metrics: expected names that differ/],
    ["a metric that doesn't fit", data, given({ metrics: [train.accuracy()] }), "SHAPE_MISMATCH", /^batch 0 of epoch 0: accuracy/],
    ["validation that doesn't fit", data, given({ validation: batches([{ x: numbers(1)(3, 2), target: ids(0, 1, 2) }], { batchSize: 1 }) }), "SHAPE_MISMATCH", /^batch 0 of the validation data: meanSquared/],
    ["no validation batches", data, given({ validation: { batches: () => undefined } }), "INVALID_ARGUMENT", /^batches of the validation data: expected something to iterate/],
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
    await refuses(() => finish(train.fit(model, data, { ...how, checkpoint })), "INVALID_ARGUMENT", /^checkpoint: expected one within the 2 batches of an epoch, got one at batch 3/);
    expect(model.parameters()).toEqual(before);
  }); // prettier-ignore

  it("a checkpoint of a shallower network", async () => {
    const state = await train.createTrainer(open(), how2).state();
    const trainer = train.createTrainer(open(5), how2);
    const before = await trainer.state();
    const { "1.W": W, "1.b": b, ...rest } = state.parameters;
    expect(W && b).toBeDefined();
    await refuses(
      () => trainer.restore({ ...state, parameters: rest }),
      "UNKNOWN_NAME",
      /the parameter 1\.W/,
    );
    expect(await trainer.state()).toEqual(before);
  });
  const how2 = { loss: meanSquared(), optimizer: sgd() };
});

describe("a step refuses, before a parameter changes,", () => {
  const x = numbers(1)(3, 2, 2);
  const target = numbers(2)(3, 2, 4);
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
    await refuses(() => trainer.step({ x, target, ...rest }), code, says);
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

describe("data refuses", () => {
  const x = floats([2, 1], 1, 2);
  const first = (given: readonly object[]) => () => [
    ...untyped<Iterable<unknown>>(batches(untyped(given), { batchSize: 2, seed: 1 }).batches(0)),
  ];
  it.each<[string, () => unknown, RegExp]>([
    ["batches of null", () => batches(untyped(null), { batchSize: 2 }), /^batches: expected examples/],
    ["an example undefined", first(untyped([undefined])), /^row 0: expected an example/],
    ["x in doubles", first([{ x: { shape: [2], data: Float64Array.of(0.5, 1) }, target: ids(1, 1) }]), /^x of row 0: .* got Float64Array/],
    ["a target in a list", first([{ x, target: { shape: [2], data: [0.5, 1] } }]), /^target of row 0: .* got Array/],
    ["labels that aren't whole", first([{ x, labels: floats([2], 1, 0.5) }]), /^labels of row 0: expected .* got 0.5/],
    ["a label below 0", first([{ x, labels: ids(1, -1) }]), /^labels of row 0: expected .* got -1/],
    ["labels for one row alone", first([{ x, labels: ids(1) }, { x, target: ids(1, 1) }]), /^row \d: expected labels/],
    ["a series in doubles", () => train.continuous(untyped({ shape: [5], data: new Float64Array(5) }), { batchSize: 1, length: 2 }), /^continuous: .* got Float64Array/],
    ["a series in a list", () => train.windows(untyped({ shape: [3], data: [1, 2, 3] }), { length: 1 }), /^windows: .* got Array/],
    ["columns that are no list", () => train.windows(numbers(1)(5, 2), { length: 1, columns: untyped(1) }), /^windows: columns/],
    ["cuts that are no list", () => train.splitByTime(numbers(1)(5, 2), untyped(null)), /^splitByTime: at/],
    ["a scale without numbers", () => scale(untyped(null), [1]), /^scale: offset/],
    ["a scale with NaN", () => scale([NaN], [1]), /^scale: offset/],
    ["a vocabulary cut by nothing", () => train.vocabulary("ab", { split: untyped(null) }), /split: expected a function/],
    ["an unknown that is no token", () => train.vocabulary("ab", { unknown: untyped(5) }), /unknown: expected a text/],
    ["tokens that are no list", () => train.vocabularyOf(untyped("ab")), /^vocabularyOf: expected a list/],
    ["a text that is none", () => train.vocabulary("ab").encode(untyped(5)), /^vocabulary.encode: expected a text/],
    ["an rmse of other options", () => rmse(untyped(null)), /^rmse: expected options/],
  ])("%s", (_, make, says) => refuses(make, "INVALID_ARGUMENT", says)); // prettier-ignore
});

describe("metrics", () => {
  const output = floats([2, 2, 1], 1, 2, 3, 4);
  it("take the targets that losses take: without the last dimension where it is 1", () => {
    const { sum, weight } = rmse().of(output, { x: output, target: floats([2, 2], 1, 2, 3, 6) });
    expect([sum, weight]).toEqual([4, 4]);
  });
  it("refuse ids that are no classes, and ids of another shape", async () => {
    const of = (target: train.Batch["target"]) => () =>
      train.perplexity().of(numbers(1)(3, 2, 4), { x: output, target });
    const shape = [3, 2];
    await refuses(of({ shape, data: Int32Array.of(0, 1, 2, 255, 0, 1) }), "INVALID_ARGUMENT", /perplexity: batch row 1, step 1: expected a class from 0 to 3, or below 0, got 255/); // prettier-ignore
    await refuses(of({ shape: [2, 3], data: new Int32Array(6) }), "SHAPE_MISMATCH", /an id a row/);
  });
});

describe("one cycle", () => {
  it("is a number at every step, however short its rise or fall", () => {
    const at = (rising: number, step: number) => oneCycle({ learningRate: 1, steps: 10, rising })(step);
    expect(at(0.1, 0)).toBe(1);
    expect([at(1, 9), at(1, 10), at(1, 99)]).toEqual([1, 1, 1]);
    expect(at(0.1, 9)).toBeCloseTo(1 / 25 / 1e4, 12);
  });
});

describe("a run", () => {
  it("that is cancelled at its last batch ends by the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const running = async () => {
      for await (const event of train.fit(open(), data, { ...how, signal: controller.signal }))
        if (event.type === "step" && event.batch === 1) controller.abort(reason);
    };
    await expect(running()).rejects.toBe(reason);
  });

  it("of one optimizer isn't gone on with by another that has such moments", async () => {
    const trainerOf = (optimizer: train.Optimizer) =>
      train.createTrainer(open(), { loss: meanSquared(), optimizer });
    const saved = await trainerOf(train.adam()).state();
    const [same, other] = [trainerOf(train.adam()), trainerOf(train.adamW())];
    same.restore(saved);
    await refuses(() => other.restore(saved), "INVALID_ARGUMENT", /a state of adamW, got "adam"/);
  });
});

describe("a vocabulary", () => {
  it("is in the order of code points", () => {
    // By UTF-16 the second would come first: it begins with 0xD83D.
    const { tokens } = train.vocabulary("\u{FF5E}\u{1F600}\u{FF5E}\u{1F600}");
    expect(tokens).toEqual(["\u{FF5E}", "\u{1F600}"]);
  });
});

describe("sampling refuses", () => {
  const half = () => 0.5;
  const model = () =>
    createModel(
      stack(
        embedding({ vocabularySize: 4, outputSize: 3 }),
        recurrent(gru, { inputSize: 3, hiddenSize: 3 }),
        dense({ inputSize: 3, outputSize: 4 }),
      ),
      openCpu(),
    );
  const beam = { width: 2, length: 2 };
  it.each<[string, () => unknown, ErrorCode, RegExp]>([
    ["NaN", () => sample([1, NaN, 2], half), "NON_FINITE", /of id 1/],
    ["infinity", () => sample([1, Infinity], half), "NON_FINITE", /of id 1/],
    ["no id that can be", () => sample([-Infinity, -Infinity], half), "NON_FINITE", /above -Infinity/],
    ["other options", () => sample([1, 2], half, untyped({ topk: 1 })), "UNKNOWN_NAME", /topk/],
    ["options null", () => sample([1, 2], half, untyped(null)), "INVALID_ARGUMENT", /^sample/],
    ["a temperature null", () => sample([1, 2], half, { temperature: untyped(null) }), "INVALID_ARGUMENT", /temperature/],
    ["a topP in text", () => sample([1, 2], half, { topP: untyped("1") }), "INVALID_ARGUMENT", /topP/],
    ["no model", () => train.generate(untyped(null), [1]).next(), "INVALID_ARGUMENT", /^generate: expected a model/],
    ["no prompt", () => train.generate(model(), untyped(null)).next(), "INVALID_ARGUMENT", /^generate: expected a prompt/],
    ["no prompt for beams", () => train.beamSearch(model(), untyped(null), beam), "INVALID_ARGUMENT", /^beamSearch: expected a prompt/],
    ["an end that never comes", () => train.beamSearch(model(), [1], { ...beam, end: 4 }), "INVALID_ARGUMENT", /^beamSearch: end: expected a whole number from 0 to 3/],
  ])("%s", (_, act, code, says) => refuses(act, code, says)); // prettier-ignore
});
