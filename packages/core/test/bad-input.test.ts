/** Calls that make no sense are refused before anything changes. */
import { afterAll, describe, expect, it } from "vitest";
import type { ErrorCode, Input, RunOptions } from "../src/index.ts";
import {
  cell,
  concat,
  createModel,
  dense,
  embedding,
  explain,
  gradientSync,
  lstm,
  network,
  recurrent,
  stack,
} from "../src/index.ts";
import { numbers } from "./support/expected.ts";
import { openPlain } from "./support/plain-backend.ts";
import { as, refuses } from "./support/refuses.ts";

const draw = numbers(5);
const backend = openPlain();
const net = stack(recurrent(lstm, { inputSize: 3, hiddenSize: 4 }), dense({ inputSize: 4, outputSize: 2 }));
const model = createModel(net, backend);
const x = draw(5, 2, 3);
const before = { run: model.runSync(x, { trace: true }), parameters: model.parameters(), live: 0 };
gradientSync(model, x, {});
before.live = backend.live();

afterAll(() => {
  // Nothing that was refused has left a trace.
  expect(model.parameters()).toEqual(before.parameters);
  expect(model.runSync(x, { trace: true })).toEqual(before.run);
  expect(backend.live()).toBe(before.live);
});

type Case = readonly [what: string, code: ErrorCode, says: RegExp, value: unknown];

describe("an input", () => {
  it.each<Case>([
    ["that is missing", "INVALID_ARGUMENT", /got undefined/, undefined],
    ["that is null", "INVALID_ARGUMENT", /got null/, null],
    ["that is a number", "INVALID_ARGUMENT", /got 5/, 5],
    ["that is bare data", "INVALID_ARGUMENT", /tensor \{ shape, data \}, got Float32Array/, x.data],
    ["without data", "UNKNOWN_NAME", /input shape/, { shape: [5, 2, 3] }],
    [
      "of doubles",
      "INVALID_ARGUMENT",
      /Float32Array, got Float64Array; convert/,
      { shape: x.shape, data: Float64Array.from(x.data) },
    ],
    [
      "of a plain array",
      "INVALID_ARGUMENT",
      /Float32Array, got Array/,
      { shape: x.shape, data: [...x.data] },
    ],
    [
      "without a batch",
      "SHAPE_MISMATCH",
      /\[time, batch, 3\], got \[10, 3\]/,
      { shape: [10, 3], data: x.data },
    ],
    ["of another width", "SHAPE_MISMATCH", /\[time, batch, 3\], got \[5, 2, 4\]/, draw(5, 2, 4)],
    [
      "with fewer values than its shape says",
      "SHAPE_MISMATCH",
      /expected 30 values for shape \[5, 2, 3\], got 29/,
      { shape: x.shape, data: x.data.slice(1) },
    ],
    ["of half a step", "SHAPE_MISMATCH", /got \[2\.5, 4, 3\]/, { shape: [2.5, 4, 3], data: x.data }],
    ["of negative steps", "SHAPE_MISMATCH", /got \[-5, -2, 3\]/, { shape: [-5, -2, 3], data: x.data }],
    ["of a shape that isn't one", "INVALID_ARGUMENT", /tensor/, { shape: "5,2,3", data: x.data }],
    ["larger than any memory", "SHAPE_MISMATCH", /values for shape/, { shape: [1e9, 1e9, 3], data: x.data }],
    ["under another name", "UNKNOWN_NAME", /input y: expected one of x/, { y: x }],
    ["by name, of another width", "SHAPE_MISMATCH", /input x/, { x: draw(5, 2, 4) }],
    ["by name, that is null", "UNKNOWN_NAME", /input x: expected a tensor, got none/, { x: null }],
  ])("%s", (_, code, says, value) => {
    refuses(() => model.runSync(as(value)), code, says);
    refuses(() => gradientSync(model, as(value), {}), code, says);
  });

  it("of several: all are needed, and their sizes agree", () => {
    const two = createModel(
      network({ a: 1, b: 2 }, ({ a, b }) => concat(a, b)),
      backend,
    );
    const [a, b] = [draw(3, 2, 1), draw(3, 2, 2)];
    refuses(() => two.runSync(a), "INVALID_ARGUMENT", /tensors for a, b by name/);
    refuses(() => two.runSync({ a }), "UNKNOWN_NAME", /input b/);
    refuses(() => two.runSync({ a, b, c: a }), "UNKNOWN_NAME", /input c/);
    refuses(
      () => two.runSync({ a, b: draw(4, 2, 2) }),
      "SHAPE_MISMATCH",
      /input b: expected shape \[3, 2, 2\], got \[4, 2, 2\]/,
    );
    two.dispose();
  });
});

describe("ids", () => {
  const words = createModel(stack(embedding({ vocabularySize: 4, outputSize: 2 })), backend);
  afterAll(() => words.dispose());
  it.each<Case>([
    ["past the vocabulary", "INVALID_ARGUMENT", /ids from 0 to 3, got 4 at 1/, Int32Array.of(0, 4)],
    ["below 0", "INVALID_ARGUMENT", /got -1 at 0/, Int32Array.of(-1, 0)],
    ["between two", "INVALID_ARGUMENT", /got 0\.5/, Float32Array.of(0.5, 0)],
    ["that are NaN", "INVALID_ARGUMENT", /got NaN/, Float32Array.of(NaN, 0)],
    ["in doubles", "INVALID_ARGUMENT", /whole numbers, got Float64Array/, Float64Array.of(0, 1)],
    ["in big integers", "INVALID_ARGUMENT", /got BigInt64Array/, BigInt64Array.of(0n, 1n)],
  ])("%s", (_, code, says, data) =>
    refuses(() => words.runSync({ shape: [2, 1], data: as(data) }), code, says),
  );

  it("of another shape", () =>
    refuses(
      () => words.runSync({ shape: [2, 1, 2], data: Int32Array.of(0, 1, 2, 3) }),
      "SHAPE_MISMATCH",
      /got \[2, 1, 2\]/,
    ));
});

describe("an option", () => {
  const ok = draw(2, 4);
  it.each<readonly [string, ErrorCode, RegExp, unknown]>([
    ["lengths, too few", "SHAPE_MISMATCH", /expected 2, one a row, got 1/, { lengths: [5] }],
    ["lengths, a number", "SHAPE_MISMATCH", /one a row, got/, { lengths: 5 }],
    ["lengths past the end", "INVALID_ARGUMENT", /row 1: .*from 0 to 5.*got 6/, { lengths: [5, 6] }],
    ["negative lengths", "INVALID_ARGUMENT", /got -1/, { lengths: [-1, 5] }],
    ["half a length", "INVALID_ARGUMENT", /got 2\.5/, { lengths: [2.5, 5] }],
    ["lengths that are NaN", "INVALID_ARGUMENT", /got NaN/, { lengths: [NaN, 5] }],
    ["lengths that are text", "INVALID_ARGUMENT", /got "5"/, { lengths: ["5", "5"] }],
    [
      "a state that doesn't exist",
      "UNKNOWN_NAME",
      /state 0\.q: expected one of 0\.h, 0\.c/,
      { state: { "0.q": ok } },
    ],
    [
      "a state of another batch",
      "SHAPE_MISMATCH",
      /state 0\.h: expected shape \[2, 4\], got \[3, 4\]/,
      { state: { "0.h": draw(3, 4) } },
    ],
    ["a state of another width", "SHAPE_MISMATCH", /state 0\.c/, { state: { "0.h": ok, "0.c": draw(2, 5) } }],
    [
      "a state of doubles",
      "INVALID_ARGUMENT",
      /Float64Array/,
      { state: { "0.h": { shape: [2, 4], data: new Float64Array(8) } } },
    ],
    ["a state that is undefined", "INVALID_ARGUMENT", /state 0\.h/, { state: { "0.h": undefined } }],
    ["a single state without its name", "UNKNOWN_NAME", /state shape/, { state: ok }],
    [
      "batchFirst, a word",
      "INVALID_ARGUMENT",
      /batchFirst: expected true or false, got "no"/,
      { batchFirst: "no" },
    ],
    ["batchFirst, null", "INVALID_ARGUMENT", /batchFirst: .* got null/, { batchFirst: null }],
    ["null for lengths", "SHAPE_MISMATCH", /one a row, got null/, { lengths: null }],
    ["lengths that are symbols", "INVALID_ARGUMENT", /got Symbol/, { lengths: [Symbol("5"), 5] }],
    ["null for states", "INVALID_ARGUMENT", /got null/, { state: null }],
  ])("%s", (_, code, says, options) => {
    refuses(() => model.runSync(x, as(options)), code, says);
    refuses(() => gradientSync(model, x, {}, as(options)), code, says);
  });

  it.each(["first", null, true, Symbol("last"), Object.create(null)])(
    "output, of neither kind: %o",
    (output) =>
      refuses(() => model.runSync(x, { output: as(output) }), "INVALID_ARGUMENT", /"all" or "last", got/),
  );

  it.each(["no", null, 0, 1, {}])("trace, neither true nor false: %o", (trace) =>
    refuses(
      () => model.runSync(x, { trace: as(trace) }),
      "INVALID_ARGUMENT",
      /trace: expected true or false/,
    ),
  );
});

describe("a loss gradient", () => {
  it.each<readonly [string, ErrorCode, RegExp, unknown]>([
    [
      "of an output that doesn't exist",
      "UNKNOWN_NAME",
      /output y: expected one of output/,
      { outputs: { y: draw(5, 2, 2) } },
    ],
    ["of another shape", "SHAPE_MISMATCH", /\[5, 2, 2\], got \[5, 2, 3\]/, { output: draw(5, 2, 3) }],
    [
      "of doubles",
      "INVALID_ARGUMENT",
      /Float64Array/,
      { output: { shape: [5, 2, 2], data: new Float64Array(20) } },
    ],
    ["of a state that doesn't exist", "UNKNOWN_NAME", /state 1\.h/, { state: { "1.h": draw(2, 4) } }],
    ["of a state of another shape", "SHAPE_MISMATCH", /state 0\.h/, { state: { "0.h": draw(4, 2) } }],
    ["that is missing", "INVALID_ARGUMENT", /loss/, undefined],
    ["that is null", "INVALID_ARGUMENT", /gradient of output output/, { output: null }],
    ["of false", "INVALID_ARGUMENT", /gradient of output output/, { output: false }],
    ["of outputs that are null", "INVALID_ARGUMENT", /by name, got null/, { outputs: null }],
    ["of outputs that are a number", "INVALID_ARGUMENT", /by name, got 5/, { outputs: 5 }],
    ["of outputs in a Map", "INVALID_ARGUMENT", /by name, got Map/, { outputs: new Map() }],
    ["of an output that is null", "INVALID_ARGUMENT", /output output/, { outputs: { output: null } }],
    ["of states that are null", "INVALID_ARGUMENT", /by name, got null/, { state: null }],
  ])("%s", (_, code, says, loss) => refuses(() => gradientSync(model, x, as(loss)), code, says));

  it.each([0.5, null, "1", Symbol("1")])("a seed of masks that isn't whole: %o", (dropoutSeed) =>
    refuses(
      () => gradientSync(model, x, {}, { dropoutSeed: as(dropoutSeed) }),
      "INVALID_ARGUMENT",
      /seed: expected a whole number, got/,
    ),
  );

  it.each([undefined, null, 5, {}, Promise.resolve(model)])("of something that isn't a model: %o", (wrong) =>
    refuses(() => gradientSync(as(wrong), x, {}), "INVALID_ARGUMENT", /expected a model/),
  );
});

it("the same through promises", async () => {
  const calls: readonly (readonly [Input, RunOptions])[] = [
    [as(undefined), {}],
    [draw(5, 2, 4), {}],
    [x, { lengths: [9, 9] }],
    [x, { state: { "0.h": draw(1, 4) } }],
  ];
  for (const [input, options] of calls) {
    const error: unknown = await model.run(input, options).catch((thrown: unknown) => thrown);
    refuses(() => { throw error; }, (error as { code: ErrorCode }).code, /expected/); // prettier-ignore
  }
});

it("misspelt options", () => {
  const sizes = { inputSize: 2, hiddenSize: 3 };
  const d = draw(5, 2, 2);
  const calls: readonly (() => unknown)[] = [
    () => model.runSync(x, as({ lenghts: [1, 1] })),
    () => model.runSync(x, as({ ouput: "last" })),
    () => recurrent(lstm, as({ ...sizes, bidirectonal: true })),
    () => model.stream(as({ bacth: 3 })),
    () => createModel(net, backend, as({ sede: 3 })),
    () => gradientSync(model, x, as({ ouput: d })),
    () => gradientSync(model, x, as(d)),
    () => gradientSync(model, x, { output: d }, as({ dropoutseed: 3 })),
    () => cell(as({ name: "c", state: ["h"], wieghts: {}, step: () => ({}) })),
    () => dense(as({ inputSize: 2, outputSize: 2, bias: false })),
    () => explain(model, as({ typo: 1 })),
  ];
  for (const call of calls) refuses(call, "UNKNOWN_NAME", /expected options among/);
});

it("what isn't options", () => {
  const calls: readonly (() => unknown)[] = [
    () => model.runSync(x, as(null)),
    () => model.stream(as(null)),
    () => recurrent(lstm, as(undefined)),
    () => explain(model, as(null)),
  ];
  for (const call of calls) refuses(call, "INVALID_ARGUMENT", /expected options/);
  refuses(() => explain(as(3)), "INVALID_ARGUMENT", /expected/);
});

it("a Map for a record of tensors", () => {
  const map = as(new Map([["0.h", draw(2, 4)]]));
  refuses(() => model.setParameters(map), "INVALID_ARGUMENT", /got Map/);
  refuses(() => model.runSync(x, { state: map }), "INVALID_ARGUMENT", /got Map/);
  const stream = model.stream();
  refuses(() => stream.restore(map), "INVALID_ARGUMENT", /got Map/);
  stream.dispose();
});
