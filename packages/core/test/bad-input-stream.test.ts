/** What makes no sense to a stream is refused before it steps. */
import { afterAll, describe, expect, it } from "vitest";
import {
  createModel,
  dense,
  embedding,
  gru,
  lstm,
  network,
  recurrent,
  stack,
  type ErrorCode,
} from "../src/index.ts";
import { numbers } from "./support/expected.ts";
import { openPlain } from "./support/plain-backend.ts";
import { as, refuses } from "./support/refuses.ts";

const draw = numbers(6);
const backend = openPlain();
const model = createModel(
  stack(recurrent(lstm, { inputSize: 3, hiddenSize: 4 }), dense({ inputSize: 4, outputSize: 1 })),
  backend,
);
const stream = model.stream({ batch: 2 });
const frame = draw(2, 3).data;
stream.step(frame);
const before = { state: stream.save(), live: backend.live() };

afterAll(() => {
  expect(stream.save()).toEqual(before.state);
  expect(backend.live()).toBe(before.live);
});

type Case = readonly [what: string, code: ErrorCode, says: RegExp, value: unknown];

it.each<Case>([
  ["missing", "INVALID_ARGUMENT", /Float32Array of 6 for x, got undefined/, undefined],
  ["null", "INVALID_ARGUMENT", /got null/, null],
  ["short", "SHAPE_MISMATCH", /frame: expected 6 values for x, got 5/, new Float32Array(5)],
  ["long", "SHAPE_MISMATCH", /expected 6 values for x, got 7/, new Float32Array(7)],
  ["of doubles", "INVALID_ARGUMENT", /got Float64Array/, new Float64Array(6)],
  ["a plain array", "INVALID_ARGUMENT", /got Array/, [1, 2, 3, 4, 5, 6]],
  ["a tensor", "INVALID_ARGUMENT", /for x, got/, draw(2, 3)],
  ["under another name", "INVALID_ARGUMENT", /for x, got Object/, { y: frame }],
])("a frame that is %s", (_, code, says, value) => refuses(() => stream.step(as(value)), code, says));

it.each<Case>([
  ["short", "SHAPE_MISMATCH", /into: expected 2 values for output, got 1/, new Float32Array(1)],
  ["of doubles", "INVALID_ARGUMENT", /got Float64Array/, new Float64Array(2)],
  ["null", "INVALID_ARGUMENT", /got null/, null],
])("an array for the output that is %s", (_, code, says, value) =>
  refuses(() => stream.step(frame, as(value)), code, says),
);

it.each<Case>([
  ["of an unknown name", "UNKNOWN_NAME", /state 0\.q: expected one of 0\.h, 0\.c/, { "0.q": draw(2, 4) }],
  ["of another batch", "SHAPE_MISMATCH", /\[2, 4\], got \[1, 4\]/, { "0.h": draw(2, 4), "0.c": draw(1, 4) }],
  ["that is null", "INVALID_ARGUMENT", /state/, null],
])("a state to restore %s", (_, code, says, value) => refuses(() => stream.restore(as(value)), code, says));

it.each([0, -1, 1.5, NaN, "2", null, Symbol("2")])("a batch of %o", (batch) =>
  refuses(() => model.stream({ batch: as(batch) }), "INVALID_ARGUMENT", /stream: batch/),
);

it("a batch beyond memory", () => refuses(() => model.stream({ batch: 1e15 }), "OUT_OF_MEMORY", /./));

it("one array where there are several names", () => {
  const two = createModel(
    network({ a: 2, b: 2 }, ({ a, b }) => ({ sum: a.plus(b), product: a.times(b) })),
    openPlain(),
  ).stream();
  const [a, b] = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
  refuses(() => two.step(a), "INVALID_ARGUMENT", /frame: expected by name a Float32Array of 2 for a/);
  refuses(() => two.step({ a }), "INVALID_ARGUMENT", /for b, got Object/);
  refuses(() => two.step({ a, b }, new Float32Array(2)), "INVALID_ARGUMENT", /into: expected by name/);
  expect(two.step({ a, b })).toEqual({ sum: Float32Array.of(4, 6), product: Float32Array.of(3, 8) });
});

describe("ids", () => {
  const words = createModel(
    network({ id: 1 }, ({ id }) =>
      recurrent(gru, { inputSize: 2, hiddenSize: 2 })(embedding({ vocabularySize: 4, outputSize: 2 })(id)),
    ),
    openPlain(),
  );
  const ids = words.stream();
  it.each([4, -1, 0.5, NaN])("%s", (id) => {
    const saved = ids.save();
    refuses(() => ids.step(Float32Array.of(id)), "INVALID_ARGUMENT", /ids from 0 to 3, got/);
    expect(ids.save()).toEqual(saved);
  });
});
