/** What a wrong cell declaration says: a type error where types can see it, a clear error at construction otherwise. */
// What types refuse has no type.
/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access */
import { expect, expectTypeOf, test } from "vitest";
import { lstmp, slstm } from "../../src/cells/index.ts";
import { cell, matrix, vector, vectors, type Cell } from "../../src/cell.ts";
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
    /cell twice: .*got h again/,
  );
  rejects(
    () => cell({ name: "twice", state: ["h"], weights: { W: matrix("H", "I") }, step }),
    /cell twice: .*got W again/,
  );
});

test("a size or an option that makes no sense", () => {
  rejects(() => lstmp({ projectionSize: 0 }), /cell lstmp: width of state h: expected .* at least 1, got 0/);
  // @ts-expect-error the projection needs its size
  rejects(() => lstmp({}), /cell lstmp: width of state h: .* got undefined/);
  rejects(
    () => cell({ name: "odd", state: ["h"], weights: { v: vector(1.5) }, step: ({ h }) => ({ h }) }),
    /cell odd: width of v: .* got 1\.5/,
  );
  // @ts-expect-error the forget gate is one of two
  rejects(() => slstm({ forget: "tanh" }), /slstm: expected forget "sigmoid" or "exp", got tanh/);
});

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
