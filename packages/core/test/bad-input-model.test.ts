/** Models and parameters that make no sense are refused before anything changes. */
import { describe, expect, it } from "vitest";
import {
  constant, createModel, dense, embedding, gradientSync, gru, lstm, lstmp, recurrent, stack, type Backend, type ErrorCode,
} from "../src/index.ts"; // prettier-ignore
import { lastRows } from "../src/ragged.ts";
import { numbers } from "./support/expected.ts";
import { openPlain } from "./support/plain-backend.ts";
import { as, refuses } from "./support/refuses.ts";

const draw = numbers(5);
const backend = openPlain();
const net = stack(recurrent(lstm, { inputSize: 3, hiddenSize: 4 }), dense({ inputSize: 4, outputSize: 2 }));
const model = createModel(net, backend);
const x = draw(5, 2, 3);
const before = model.parameters();
const run = model.runSync(x);

describe("parameters", () => {
  const bad: readonly (readonly [string, ErrorCode, RegExp, Record<string, unknown>])[] = [
    ["an unknown name", "UNKNOWN_NAME", /parameter 2\.W: expected one of 0\.W\.i/, { "2.W": draw(2, 4) }],
    [
      "another shape",
      "SHAPE_MISMATCH",
      /parameter 1\.b: expected shape \[2\], got \[3\]/,
      { "1.b": draw(3) },
    ],
    [
      "transposed",
      "SHAPE_MISMATCH",
      /\[2, 4\], got \[4, 2\]; PyTorch and Recurra store \[out, in\]/,
      { "1.W": draw(4, 2) },
    ],
    ["doubles", "INVALID_ARGUMENT", /Float64Array/, { "1.b": { shape: [2], data: new Float64Array(2) } }],
    [
      "NaN",
      "NON_FINITE",
      /parameter 1\.b: expected finite numbers, got NaN at 1/,
      { "1.b": { shape: [2], data: Float32Array.of(1, NaN) } },
    ],
    [
      "infinity",
      "NON_FINITE",
      /got -Infinity at 0/,
      { "1.b": { shape: [2], data: Float32Array.of(-Infinity, 1) } },
    ],
    ["undefined", "INVALID_ARGUMENT", /parameter 1\.b/, { "1.b": undefined }],
  ];
  it.each(bad)("set to %s: none is set", (_, code, says, given) => {
    refuses(() => model.setParameters(as({ "0.W.i": draw(4, 3), ...given, "0.b.f": draw(4) })), code, says);
    expect(model.parameters()).toEqual(before);
    expect(model.runSync(x)).toEqual(run);
  });
  it.each(bad)("a model begun with %s", (_, code, says, given) =>
    refuses(() => createModel(net, backend, { parameters: as({ ...before, ...given }) }), code, says),
  );

  it("a model begun with some only", () => {
    const { "0.U.g": _, ...rest } = before;
    refuses(
      () => createModel(net, backend, { parameters: rest }),
      "UNKNOWN_NAME",
      /parameter 0\.U\.g: expected a tensor, got none; give all of/,
    );
  });
  it.each([null, 5, "W"])("set to %s", (value) =>
    refuses(() => model.setParameters(as(value)), "INVALID_ARGUMENT", /parameters/),
  );
});

describe("a model", () => {
  it.each([0.5, NaN, Infinity, "1", null, true, Symbol("1")])("of seed %o", (seed) =>
    refuses(
      () => createModel(net, backend, { seed: as(seed) }),
      "INVALID_ARGUMENT",
      /seed: expected a whole number/,
    ),
  );
  it("of a seed that isn't used", () =>
    refuses(
      () => createModel(net, backend, { seed: as(null), parameters: before }),
      "INVALID_ARGUMENT",
      /seed: expected a whole number, got null/,
    ));
  it.each([null, false, 0, ""])("of parameters %o", (parameters) =>
    refuses(
      () => createModel(net, backend, { parameters: as(parameters) }),
      "INVALID_ARGUMENT",
      /parameters: expected tensors by name/,
    ),
  );
  it.each<[string, ErrorCode, unknown]>([
    ["is NaN", "NON_FINITE", constant(NaN)],
    ["gives too few numbers", "INVALID_ARGUMENT", () => Float32Array.of(1, 1)],
    ["gives too many", "INVALID_ARGUMENT", () => new Float32Array(4)],
    ["gives nothing", "INVALID_ARGUMENT", () => undefined],
    ["is a number", "INVALID_ARGUMENT", 3],
  ])("of an initializer that %s", (_, code, b) =>
    refuses(
      () =>
        createModel(
          stack(recurrent(lstm, { inputSize: 2, hiddenSize: 3, initializers: { b: as(b) } })),
          backend,
        ),
      code,
      /initializer of 0\.b\.i/,
    ),
  );
  it("on nothing", () => refuses(() => createModel(net, as(undefined)), "INVALID_ARGUMENT", /backend/));
  it("on a backend that wasn't awaited", () =>
    refuses(
      () => createModel(net, as(Promise.resolve<Backend>(backend))),
      "INVALID_ARGUMENT",
      /backend, awaited .*, got Promise/,
    ));
  it("of layers that aren't in a network", () =>
    refuses(
      () => createModel(as(recurrent(gru, { inputSize: 2, hiddenSize: 2 })), backend),
      "INVALID_ARGUMENT",
      /network/,
    ));
  it("of a cell that wasn't given its options", () =>
    refuses(
      () => stack(recurrent(as(lstmp), { inputSize: 2, hiddenSize: 2 })),
      "INVALID_ARGUMENT",
      /expected a cell, got function/,
    ));
  it("of sizes beyond memory", () => {
    for (const hiddenSize of [1e5, 1e9])
      refuses(
        () => createModel(stack(recurrent(gru, { inputSize: 1e5, hiddenSize })), backend),
        "OUT_OF_MEMORY",
        /alloc: expected room/,
      );
  });

  it("that was disposed", () => {
    const gone = createModel(net, openPlain());
    gone.dispose();
    const uses: readonly (() => unknown)[] = [
      () => gone.runSync(x),
      () => gradientSync(gone, x, {}),
      () => gone.parameters(),
      () => gone.setParameters({}),
      () => gone.stream(),
    ];
    for (const use of uses) refuses(use, "DISPOSED", /create another/);
  });
});

it("more rows than float32 can count, where the last one is picked", () => {
  // Only what such a call would write: its buffers would be gigabytes.
  refuses(
    () => lastRows({ steps: 2 ** 20 + 1, batch: 16 }),
    "UNSUPPORTED",
    /at most 2²⁴ rows .* got 16777232/,
  );
  refuses(() => embedding({ vocabularySize: 2 ** 24 + 1, outputSize: 1 }), "UNSUPPORTED", /at most 2²⁴ ids/);
});
