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
import { isLeaf, operands, type Value, type Values } from "./value.ts";

const partsPerSection = 1 << 16;
const kinds = ["forward", "reverse", "whole"] as const;

export const sectionOf = (at: number): number => Math.floor(at / partsPerSection);
export const partOf = (at: number): number => at % partsPerSection;
export const kindOf = (section: number): (typeof kinds)[number] =>
  kinds[section % 3] as (typeof kinds)[number];

export const place = (section: number, part: number): number => section * partsPerSection + part;

/** The first section of this kind that isn't before `section`. */
const onward = (section: number, kind: number): number => section + ((((kind - section) % 3) + 3) % 3);

export function assignPlaces(values: Values, roots: readonly Value[], backward: Backward | undefined): void {
  assignLoops(values);
  earliest(values);
  backward?.recompute(values);
  values.sort(roots);
  latest(values);
}

/** A value is in a loop when it follows from the loop's state and the loop's next state follows from it. */
function assignLoops(values: Values): void {
  const loops = new Set([...values.next.keys()].map(loopOf));
  for (const loop of loops) {
    const after = new Set<Value>();
    for (const v of values.all)
      if ((v.op === "state" && loopOf(v) === loop) || operands(v).some((a) => after.has(a))) after.add(v);
    const before = new Set<Value>();
    for (const [state, next] of values.next) if (loopOf(state) === loop) before.add(next);
    for (const next of before) claim(next, loop);
    for (const v of [...values.all].reverse()) if (before.has(v)) for (const a of operands(v)) before.add(a);
    for (const v of before) if (after.has(v) && !isLeaf(v)) claim(v, loop);
  }
}

const loopOf = (state: Value): Loop =>
  state.leaf?.op === "state" ? state.leaf.loop : fail("INTERNAL", "not a state");

function claim(v: Value, loop: Loop): void {
  if (v.loop && v.loop !== loop)
    fail(
      "UNSUPPORTED",
      `${loop.name} and ${v.loop.name} depend on each other within a step; declare them as one cell`,
    );
  v.loop = loop;
}

/** Results that need all steps at once: sums over rows, a table of a sequence, and whatever has no row a step. */
function needsWhole(v: Value): boolean {
  return (
    v.domain !== "sequence" ||
    v.op === "scatterAdd" ||
    (v.op === "gather" && v.args[0]?.domain === "sequence")
  );
}

function earliest(values: Values): void {
  const members = new Map<Loop, Value[]>();
  for (const v of values.all) if (v.loop) members.set(v.loop, [...(members.get(v.loop) ?? []), v]);
  const placed = new Set<Value>();
  const busy = new Set<Loop>();

  const visit = (v: Value): void => {
    if (placed.has(v)) return;
    if (v.op === "state") {
      const loop = loopOf(v);
      if (!busy.has(loop)) members.get(loop)?.slice(0, 1).forEach(visit);
      placed.add(v);
      return;
    }
    if (isLeaf(v)) {
      placed.add(v);
      return;
    }
    const unit = v.loop ? (members.get(v.loop) as Value[]) : [v];
    if (v.loop) {
      if (busy.has(v.loop)) return;
      busy.add(v.loop);
    }
    const inside = new Set(unit);
    const outside = unit.flatMap(operands).filter((a) => !inside.has(a));
    outside.forEach(visit);
    let section = 0;
    for (const a of outside)
      if (!isLeaf(a) || a.op === "state") section = Math.max(section, sectionOf(placeOf(a, v.loop)));
    if (v.loop) section = onward(section, v.loop.reverse ? 1 : 0);
    else if (needsWhole(v)) section = onward(section, 2);
    let part = v.loop ? 1 : 0;
    for (const a of outside) {
      const at = placeOf(a, v.loop);
      if (sectionOf(at) !== section || (isLeaf(a) && a.op !== "state")) continue;
      const p = partOf(at);
      // From rows to the same rows or the next loop; from a loop to the rows, or the loop, after it.
      if (at > 0 || a.op !== "state") part = Math.max(part, v.loop ? p + (p % 2 === 0 ? 1 : 2) : p + (p % 2));
    }
    for (const u of unit) {
      u.at = place(section, part);
      placed.add(u);
    }
  };
  /** A state is there when its loop has run, except for the loop itself. */
  const placeOf = (a: Value, reader: Loop | undefined): number => {
    if (a.op !== "state") return a.at;
    const loop = loopOf(a);
    return loop === reader ? 0 : (members.get(loop)?.[0]?.at ?? 0);
  };
  values.all.forEach(visit);
}

/**
 * A pointwise value waits for its first reader, so that it meets others and little is kept in between. Anything else waits where
 * that is in a later walk: a chunk of it is enough there, rather than the whole sequence.
 */
function latest(values: Values): void {
  const readers = values.consumers();
  for (const v of [...values.all].reverse()) {
    if (v.loop || isLeaf(v) || needsWhole(v)) continue;
    const first = Math.min(...(readers.get(v) ?? []).map((r) => (r.loop ? r.at - 1 : r.at)));
    if (!Number.isFinite(first)) continue;
    const laterWalk = sectionOf(first) > sectionOf(v.at) && kindOf(sectionOf(first)) !== "whole";
    if (v.op === "map" || laterWalk) v.at = Math.max(v.at, first);
  }
}
