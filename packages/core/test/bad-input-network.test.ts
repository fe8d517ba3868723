/** Layers, networks and expressions that make no sense are refused where they are written. */
import { describe, it } from "vitest";
import {
  activation, cell, concat, dense, dropout, embedding, gru, last, layerNorm, lstmp, max, network, recurrent, rowMax, rowSum, slstm, stack, tanh,
  type Cell, type Expr, type Layer, type Matrix,
} from "../src/index.ts"; // prettier-ignore
import { as, refuses } from "./support/refuses.ts";

type Call = readonly [what: string, says: RegExp, call: () => unknown];
const sizes = { inputSize: 2, hiddenSize: 3 };

describe("a recurrent layer", () => {
  const invalid: readonly (readonly [what: string, says: RegExp, options: object])[] = [
    ["of no input size", /recurrent: inputSize: .* got undefined/, { inputSize: undefined }],
    ["of a size in a text", /recurrent: hiddenSize: .* got "3"/, { hiddenSize: "3" }],
    ["of a size that is null", /recurrent: hiddenSize: .* got null/, { hiddenSize: null }],
    ["of a size that is a list", /recurrent: hiddenSize: .* got Array/, { hiddenSize: [3] }],
    ["of a size that is a symbol", /recurrent: hiddenSize: .* got Symbol\(s\)/, { hiddenSize: Symbol("s") }],
    ["of no layers", /recurrent: layers: .* got 0/, { layers: 0 }],
    ["of null layers", /recurrent: layers: .* got null/, { layers: null }],
    [
      "both ways, perhaps",
      /bidirectional.*: expected true or false, got "false"/,
      { bidirectional: "false" },
    ],
    ["both ways, null", /bidirectional.*: expected true or false, got null/, { bidirectional: null }],
    ["in reverse, perhaps", /reverse: expected true or false, got 1/, { reverse: 1 }],
    ["that merges by null", /merge: expected "concat" or "sum" or .* got null/, { merge: null }],
    ["that merges by a number", /merge: .* got 3/, { merge: 3 }],
    ["that merges by what objects inherit", /merge: .* got "toString"/, { merge: "toString" }],
    [
      "with recurrentDropout of 1",
      /recurrentDropout: expected a probability .* got 1/,
      { recurrentDropout: 1 },
    ],
    ["with dropout of null", /dropout: expected a probability .* got null/, { dropout: null }],
    ["with dropout in a text", /dropout: expected a probability .* got "0\.5"/, { dropout: "0.5" }],
    ["with null initializers", /recurrent: initializers: expected .* got null/, { initializers: null }],
    ["with a number for initializers", /recurrent: initializers: .* got 3/, { initializers: 3 }],
    ["with null for a name", /name: expected names without dots .* got null/, { name: null }],
    ["with a number for a name", /name: expected names .* got 5/, { name: 5 }],
    ["with a dot in its name", /name: expected names without dots .* got "a\.l1"/, { name: "a.l1" }],
    ["with an empty name", /name: expected names .* got ""/, { name: "" }],
  ];
  it.each(invalid)("%s", (_, says, options) =>
    refuses(() => stack(recurrent(gru, as({ ...sizes, ...options }))), "INVALID_ARGUMENT", says),
  );
  it.each(["q", "W.q", "h", "toString"])("with an initializer of %s, which it hasn't", (key) =>
    refuses(
      () => recurrent(gru, { ...sizes, initializers: { [key]: as(tanh) } }),
      "UNKNOWN_NAME",
      new RegExp(`initializers: expected .*W, W\\.r, .* got ${key}`),
    ),
  );
  it.each([null, undefined, "gru", {}])("of %s for a cell", (value) =>
    refuses(() => recurrent(as(value), sizes), "INVALID_ARGUMENT", /recurrent: expected a cell, got/),
  );
  it("of a cell without the group that an initializer is for", () => {
    const plain: Cell = cell({
      name: "plain",
      state: ["h"],
      W: ["a"],
      step: ({ x, W }) => ({ h: W.a.dot(x) }),
    });
    const make = (key: string): Layer => recurrent(plain, { ...sizes, initializers: { [key]: as(tanh) } });
    refuses(() => make("b"), "UNKNOWN_NAME", /initializers: .* W, W\.a, got b/);
    make("W");
    make("W.a");
  });
});

it("a step of what isn't an expression of its own network", () => {
  let foreign: Expr | undefined;
  network({ q: 3 }, ({ q }) => (foreign = q));
  const other = foreign as unknown as Expr;
  const steps: ((v: { h: Expr; U: { a: Matrix } }) => unknown)[] = [
    () => ({ h: other }),
    ({ h }) => ({ h, y: other }),
    ({ h }) => ({ h: rowSum(concat(h, other)).plus(h) }),
    ({ U }) => ({ h: U.a.dot(other) }),
    ({ h, U }) => ({ h: h.plus(as(U.a)) }),
    ({ U }) => ({ h: U.a }),
    () => ({ h: 5 }),
    () => undefined,
    ({ U }) => ({ h: U.a.dot(as(3)) }),
  ];
  for (const step of steps)
    refuses(
      () => stack(recurrent(cell({ name: "c", state: ["h"], U: ["a"], step: as(step) }), sizes)),
      "INVALID_ARGUMENT",
      /expected/,
    );
});

it.each<Call>([
  ["lstmp, of nothing", /expected/, () => lstmp(as(undefined))],
  ["slstm, of null", /expected/, () => slstm(as(null))],
  ["slstm, of what objects inherit", /expected/, () => slstm({ forget: as("constructor") })],
  ["dense, of nothing", /dense: expected options/, () => dense(as(undefined))],
  ["dense, of null", /dense: outputSize: .* got null/, () => dense(as({ inputSize: 1, outputSize: null }))],
  ["dense, of a bad name", /name: .* got null/, () => stack(dense(as({ inputSize: 1, outputSize: 1, name: null })))],
  ["embedding, of null", /embedding: expected options/, () => embedding(as(null))],
  ["embedding, of a text", /vocabularySize: .* got "9"/, () => embedding(as({ vocabularySize: "9", outputSize: 1 }))],
  ["layerNorm, of null", /layerNorm: expected options/, () => layerNorm(as(null))],
  ["layerNorm, of a text", /layerNorm: size: .* got "3"/, () => layerNorm(as({ size: "3" }))],
  ["dropout, of null", /dropout: expected a probability .* got null/, () => dropout(as(null))],
  ["dropout, of a text", /dropout: expected a probability .* got "0\.1"/, () => dropout(as("0.1"))],
  ["dropout, of NaN", /dropout: expected a probability .* got NaN/, () => dropout(NaN)],
  ["activation, of null", /activation: expected a function .* got null/, () => activation(as(null))],
  ["activation, of its name", /activation: expected a function .* got "tanh"/, () => activation(as("tanh"))],
  ["an activation of a step", /stack: layer 1: expected an expression, got null/, () => stack(dense(as({ inputSize: 1, outputSize: 1 })), activation(as(() => null)))],
  ["stack, of null", /stack: expected layers, got null/, () => stack(as(null))],
  ["stack, of a list", /stack: expected layers, got Array/, () => stack(as([dense({ inputSize: 1, outputSize: 1 })]))],
  ["stack, of a layer that gives nothing", /stack: layer 1: expected an expression, got undefined/, () => stack(dense({ inputSize: 1, outputSize: 1 }), as(() => undefined), last)],
  ["network, of null", /network: expected .* at least one input by name, got null/, () => network(as(null), as(tanh))],
  ["network, of a list", /network: expected .* at least one input by name, got Array/, () => network(as([3]), as(tanh))],
  ["network, without a function", /network: expected a function of its inputs, got undefined/, () => network({ x: 1 }, as(undefined))],
  ["network, of a width in a text", /width of input x: .* got "1"/, () => network(as({ x: "1" }), as(tanh))],
  ["network, of a width that is null", /width of input x: .* got null/, () => network(as({ x: null }), as(tanh))],
  ["network, that gives null", /at least one output by name, got null/, () => network({ x: 1 }, as(() => null))],
  ["network, that gives a list", /at least one output by name, got Array/, () => network({ x: 1 }, (({ x }: { x: Expr }) => [x]) as never)],
  ["network, that gives a number by name", /output y: expected an expression, got number/, () => network({ x: 1 }, as(() => ({ y: 3 })))],
  ["layers outside a network", /dense: expected an expression, got number; use network\(\)/, () => dense({ inputSize: 1, outputSize: 1 })(as(3))],
  ["last, of nothing", /last: expected an expression, got undefined/, () => last(as(undefined))],
  ["dropout, on null", /dropout: expected an expression, got null/, () => dropout(0.5)(as(null))],
  ["concat, of nothing", /concat: expected an expression, got undefined/, () => concat()],
  ["concat, of null", /concat: expected an expression, got null/, () => network({ x: 1 }, ({ x }) => concat(x, as(null)))],
  ["max, of numbers", /max: expected an expression, got number/, () => max(1, 2)],
  ["tanh, of null", /tanh: expected an expression, got null/, () => tanh(as(null))],
  ["rowMax, of a number", /max: expected an expression, got number/, () => rowMax(as(3))],
  ["plus, of a text", /plus: expected an expression, got string/, () => network({ x: 1 }, ({ x }) => x.plus(as("1")))],
  ["times, of undefined", /times: expected an expression, got undefined/, () => network({ x: 1 }, ({ x }) => x.times(as(undefined)))],
])("%s", (_, says, make) => refuses(make, "INVALID_ARGUMENT", says)); // prettier-ignore
