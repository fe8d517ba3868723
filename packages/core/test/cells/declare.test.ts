/** What a wrong cell declaration says: a type error where types can see it, a clear error at construction otherwise. */
// What types refuse has no type.
/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access */
import { expect, expectTypeOf, test } from "vitest";
import { lstmp, slstm } from "../../src/cells/index.ts";
import { matrix, vector, vectors, type Cell } from "../../src/cell.ts";
import { cell } from "../../src/declare.ts";
import { tanh, type Expr, type Matrix } from "../../src/expr.ts";
import { RecurraError } from "../../src/errors.ts";
import { recurrent } from "../../src/layers.ts";
import { network, type Network } from "../../src/network.ts";

const networkOf = (cell: Cell): Network =>
  network({ x: 3 }, ({ x }) => recurrent(cell, { inputSize: 3, hiddenSize: 4 })(x));

/** A cell that types refuse is built all the same, as JavaScript would. */
function rejects(declare: () => Cell, message: RegExp): void {
  const build = (): Network => networkOf(declare());
  expect(build).toThrow(RecurraError);
  expect(build).toThrow(message);
}

test("a step is given typed values, and nothing else", () => {
  cell({
    name: "typed",
    state: { h: {}, m: { width: 1, initial: -Infinity } },
    W: ["i"],
    U: ["i", "f"],
    b: ["i"],
    weights: { p: vectors(["i"], "H"), v: vector("H"), P: matrix(2, "H") },
    step(values) {
      expectTypeOf<keyof typeof values>().toEqualTypeOf<
        "x" | "h" | "m" | "W" | "U" | "b" | "p" | "v" | "P"
      >();
      expectTypeOf(values.W).toEqualTypeOf<Readonly<Record<"i", Matrix>>>();
      expectTypeOf(values.U).toEqualTypeOf<Readonly<Record<"i" | "f", Matrix>>>();
      expectTypeOf(values.b).toEqualTypeOf<Readonly<Record<"i", Expr>>>();
      expectTypeOf(values.p).toEqualTypeOf<Readonly<Record<"i", Expr>>>();
      expectTypeOf(values.v).toEqualTypeOf<Expr>();
      expectTypeOf(values.P).toEqualTypeOf<Matrix>();
      expectTypeOf(values.m).toEqualTypeOf<Expr>();
      return { h: values.h, m: values.m };
    },
  });
});

test("an undeclared gate", () => {
  rejects(
    () =>
      cell({
        name: "typo",
        state: ["h"],
        W: ["i"],
        // @ts-expect-error W has no gate f
        step: ({ x, W }) => ({ h: tanh(W.f.dot(x)) }),
      }),
    /cell typo: W\.f: expected one of i.*UNKNOWN_NAME/,
  );
});

test("a gate of a group that isn't declared", () => {
  rejects(
    () =>
      cell({
        name: "typo",
        state: ["h"],
        W: ["i"],
        // @ts-expect-error there is no U
        step: ({ h, U }) => ({ h: tanh(U.i.dot(h)) }),
      }),
    /cell typo: U\.i: expected one of no gates.*UNKNOWN_NAME/,
  );
});

test("a forgotten state", () => {
  rejects(
    () =>
      cell({
        name: "forgetful",
        state: ["h", "c"],
        W: ["i"],
        // @ts-expect-error c has no next value
        step: ({ x, W }) => ({ h: tanh(W.i.dot(x)) }),
      }),
    /cell forgetful: expected its step to return the next c, got h.*INVALID_ARGUMENT/,
  );
});

test("a state that isn't declared", () => {
  cell({
    name: "unknown",
    state: ["h"],
    // @ts-expect-error there is no state c
    step: ({ c }) => ({ h: c as Expr }),
  });
});

test("no state called h", () => {
  rejects(
    () => cell({ name: "blind", state: ["c"], step: ({ c }) => ({ c }) }),
    /cell blind: expected a state called h, got c/,
  );
});

test("two values of one name", () => {
  const step = ({ h }: { h: Expr }): { h: Expr } => ({ h });
  rejects(
    () => cell({ name: "twice", state: ["h"], weights: { h: vector("H") }, step }),
    /cell twice: states and weights: .* got "h"/,
  );
  rejects(
    () => cell({ name: "twice", state: ["h"], weights: { W: matrix("H", "I") }, step }),
    /cell twice: states and weights: .* got "W"/,
  );
});

test("a size or an option that makes no sense", () => {
  rejects(() => lstmp({ projectionSize: 0 }), /cell lstmp: size of h: expected .* at least 1, got 0/);
  // @ts-expect-error the projection needs its size
  rejects(() => lstmp({}), /cell lstmp: size of h: .* got undefined/);
  rejects(
    () => cell({ name: "odd", state: ["h"], weights: { v: vector(1.5) }, step: ({ h }) => ({ h }) }),
    /cell odd: size of v: .* got 1\.5/,
  );
  // @ts-expect-error the forget gate is one of two
  rejects(() => slstm({ forget: "tanh" }), /slstm: expected forget "sigmoid" or "exp", got tanh/);
});

test.each<[what: string, declared: object, message: RegExp]>([
  ["no name", { name: undefined }, /cell: name: expected a text, got undefined/],
  ["no step", { step: undefined }, /cell c: expected a step, got undefined/],
  ["null for the states", { state: null }, /cell c: expected states by name, got null/],
  ["a text for the states", { state: "h" }, /cell c: expected states by name, got "h"/],
  ["a Map of states", { state: new Map([["h", {}]]) }, /cell c: expected states by name, got Map/],
  ["null for a state", { state: { h: null } }, /cell c: h: expected options { width, initial }, got null/],
  ["a number for a state", { state: { h: 3 } }, /cell c: h: expected options { width, initial }, got 3/],
  ["a misspelt option of a state", { state: { h: { widht: 3 } } }, /cell c: h: .* got widht.*UNKNOWN_NAME/],
  ["null for a state's width", { state: { h: { width: null } } }, /cell c: size of h: .* got null/],
  [
    "a text for an initial value",
    { state: { h: { initial: "a" } } },
    /initial h: expected a number, got "a"/,
  ],
  [
    "null for an initial value",
    { state: { h: { initial: null } } },
    /initial h: expected a number, got null/,
  ],
  ["NaN for an initial value", { state: { h: { initial: NaN } } }, /initial h: expected a number, got NaN/],
  ["a state twice", { state: ["h", "h"] }, /cell c: states and weights: .* other than .*h.*, got "h"/],
  ["a state called x", { state: ["h", "x"] }, /cell c: states and weights: .* other than .*x.*, got "x"/],
  ["a state called y", { state: ["h", "y"] }, /cell c: states and weights: .* got "y"/],
  ["a state without a name", { state: ["h", ""] }, /names without dots and spaces.*, got ""/],
  ["a state called by a number", { state: ["h", 5] }, /cell c: states and weights: .* got 5/],
  ["a text for gates", { W: "a" }, /cell c: W: expected a list of gates, got "a"/],
  ["null for gates", { U: null }, /cell c: U: expected a list of gates, got null/],
  ["gates that aren't names", { b: [3] }, /cell c: gates of b: expected names .*, got 3/],
  ["a gate that is null", { W: [null] }, /cell c: gates of W: expected names .*, got null/],
  ["a gate with a dot", { W: ["a.b"] }, /cell c: gates of W: expected names without dots.*, got "a\.b"/],
  ["null for the weights", { weights: null }, /cell c: expected weights by name, got null/],
  ["a list of weights", { weights: [vector("H")] }, /cell c: expected weights by name, got Array/],
  ["null for a weight", { weights: { p: null } }, /cell c: p: expected options .*, got null/],
  ["a number for a weight", { weights: { p: 3 } }, /cell c: p: expected options .*, got 3/],
  ["a weight without a size", { weights: { p: {} } }, /cell c: size of p: .* got undefined/],
  ["a weight of null rows", { weights: { p: { rows: null, width: 1 } } }, /cell c: size of p: .* got null/],
  ["gates of a weight in a text", { weights: { p: { gates: "a", width: 1 } } }, /cell c: p: .* got "a"/],
  ["a misspelt option of a weight", { weights: { p: { width: 1, init: 3 } } }, /cell c: p: .* got init/],
  ["a weight with a dot", { weights: { "W.a": vector("H") } }, /cell c: states and weights: .* got "W\.a"/],
])("%s", (_, declared, message) =>
  rejects(
    () => cell({ name: "c", state: ["h"], step: ({ h }: { h: Expr }) => ({ h }), ...declared } as never),
    message,
  ),
);

test.each<[what: string, returned: unknown, message: RegExp]>([
  ["null", null, /cell c: expected its step to return .* the next states by name, got null/],
  ["nothing", undefined, /next states by name, got undefined/],
  ["a list", [1], /next states by name, got Array/],
  ["a Map", new Map(), /next states by name, got Map/],
  ["a number", 3, /next states by name, got 3/],
  ["no states", {}, /cell c: expected its step to return the next h, got nothing/],
  ["a promise", Promise.resolve({}), /cell c: expected its step to return the next h, got nothing/],
  ["a number for a state", { h: 3 }, /cell c: h of its step: expected an expression, got number/],
  ["null for a state", { h: null }, /cell c: h of its step: expected an expression, got null/],
])("a step that returns %s", (_, returned, message) =>
  rejects(() => cell({ name: "c", state: ["h"], step: () => returned as never }), message),
);

test("a step that returns an expression in place of a record", () =>
  rejects(
    () => cell({ name: "c", state: ["h"], step: (({ h }: { h: Expr }) => tanh(h)) as never }),
    /cell c: expected its step to return \{ h: … \}, the next states by name, got Expr/,
  ));

test("widths that don't fit", () => {
  rejects(
    () => cell({ name: "wide", state: ["h"], U: ["i"], step: ({ x, U }) => ({ h: U.i.dot(x) }) }),
    /U\.i\.dot: expected a vector of 4, got x of 3.*SHAPE_MISMATCH/,
  );
  rejects(
    () => cell({ name: "wide", state: ["h"], step: ({ x, h }) => ({ h: h.plus(x) }) }),
    /plus: expected operands of one width/,
  );
  rejects(
    () => cell({ name: "narrow", state: ["h"], step: ({ x }) => ({ h: x }) }),
    /expected width 4, got 3.*SHAPE_MISMATCH/,
  );
});
