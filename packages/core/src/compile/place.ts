/**
 * Place: what doesn't depend on the carried state runs before the loop, what the next carried state doesn't depend on runs
 * after it, over all rows at once; only the rest is in the loop.
 *
 * A place is a number: section · 2¹⁶ + part. Sections come in threes (a forward walk, a reverse walk, a whole); within one,
 * even parts work on all rows of a chunk, odd parts are loops. A value's place is never before its operands'.
 */
import { fail } from "../errors.ts";
import type { Loop } from "../graph.ts";
import type { Backward } from "./stack.ts";
import { isLeaf, isSum, readersOf, sort, type Value, type Values } from "./value.ts";

const partsPerSection = 1 << 16;
const kinds = ["forward", "reverse", "whole"] as const;

export const sectionOf = (at: number): number => Math.floor(at / partsPerSection);
export const kindOf = (at: number): (typeof kinds)[number] =>
  kinds[sectionOf(at) % 3] as (typeof kinds)[number];
/** The first place of a section. */
export const startOf = (section: number): number => section * partsPerSection;

export function assignPlaces(values: Values, backward: Backward | undefined): void {
  assignLoops(values);
  earliest(values);
  backward?.recompute(values);
  sort(values);
  latest(values);
}

const refuse = (one: Loop, other = "another loop"): never =>
  fail(
    "UNSUPPORTED",
    `${one.name} and ${other} depend on each other within a step; declare them as one cell`,
  );

/** A value is in a loop when it follows from the loop's state and the loop's next state follows from it. */
function assignLoops({ all, next }: Values): void {
  for (const loop of new Set([...next.keys()].map((state) => state.loop as Loop))) {
    const after = new Set<Value>();
    const before = new Set<Value>();
    for (const [state, value] of next)
      if (state.loop === loop) {
        after.add(state);
        before.add(value);
      }
    for (const v of all) if (v.args.some((a) => after.has(a))) after.add(v);
    for (const v of before) v.args.forEach((a) => before.add(a));
    for (const v of before)
      if (!isLeaf(v) && (after.has(v) || v.state?.loop === loop)) {
        if (v.loop) refuse(loop, v.loop.name);
        v.loop = loop;
      }
  }
}

/** Results that need all steps at once: sums over rows, a table of a sequence, and whatever has no row a step. */
const needsWhole = (v: Value): boolean =>
  v.domain !== "sequence" || v.op === "scatterAdd" || (v.op === "gather" && v.args[0]?.domain === "sequence");

/** The first place for `v` when an operand is there at `at`. */
function onward(at: number, v: Value): number {
  const section = sectionOf(at);
  const kind = v.loop ? +v.loop.reverse : needsWhole(v) ? 2 : section;
  const later = (kind + 2 * section) % 3;
  const from = later ? startOf(section + later) : at;
  // From rows to the same rows or the next loop; from a loop to the rows, or the loop, after it.
  return from + (from % 2) + (v.loop ? 1 : 0);
}

/** A loop's values are all at one place; its states are there for others when it has run. */
function earliest({ all, next }: Values): void {
  const loops = new Map<Loop, number>();
  // What reads a state may come before the loop that carries it, so until nothing moves: a sweep settles a loop at least.
  let sweeps = 0;
  let moved: Loop | undefined;
  do {
    moved = undefined;
    for (const v of all) {
      if (isLeaf(v) && !v.loop) continue;
      const { loop } = v;
      const outside = v.args.filter((a) => !loop || a.loop !== loop);
      const known = (loop && loops.get(loop)) ?? onward(0, v);
      const at = Math.max(known, ...outside.map((a) => onward(a.at, v)));
      if (loop) loops.set(loop, at);
      if (loop && at !== v.at) moved = loop;
      v.at = at;
    }
    if (moved && sweeps++ > next.size) refuse(moved);
  } while (moved);
}

/**
 * A pointwise value waits for its first reader, so that it meets others and little is kept in between; in a reverse walk, a gradient's,
 * it goes into the loop that alone reads it, where it costs no buffer (but to be added to a gemm there it would cost a kernel).
 * Anything else waits where that is in a later walk: a chunk of it is enough there, rather than the whole sequence.
 */
function latest(values: Values): void {
  const readers = readersOf(values);
  for (const v of [...values.all].reverse()) {
    if (v.loop || isLeaf(v) || needsWhole(v)) continue;
    const loops = new Set(readers(v).map((r) => !isSum(r) && r.loop));
    const [loop] = loops;
    if (loop && loop.reverse && loops.size === 1 && v.op === "map") v.loop = loop;
    const first = Math.min(...readers(v).map((r) => r.at - (r.loop === v.loop ? 0 : 1)));
    const laterWalk = sectionOf(first) > sectionOf(v.at) && kindOf(first) !== "whole";
    if (first < Infinity && (v.op === "map" || laterWalk)) v.at = Math.max(v.at, first);
  }
}
