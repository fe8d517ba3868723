/** Levels: in which order a part's kernels run, and which maps meet in one of them. */
import { isLeaf, operands, type Value, type Values } from "./value.ts";

/** How many kernels of the part must have run before a value is there. */
export function level(v: Value, at: number, known = new Map<Value, number>()): number {
  if (isLeaf(v) || v.at !== at) return 0;
  let found = known.get(v);
  if (found === undefined) {
    const before = operands(v).map((a) => level(a, at, known) + (v.op === "slice" || fuses(a, v) ? 0 : 1));
    found = v.op === "slice" ? Math.max(...before) : Math.max(1, ...before);
    known.set(v, found);
  }
  return found;
}

/** Whether two maps can be one kernel: the same place and shape. */
export function fuses(a: Value, b: Value): boolean {
  return (
    a.op === "map" &&
    b.op === "map" &&
    a.at === b.at &&
    a.loop === b.loop &&
    a.width === b.width &&
    a.rows === b.rows &&
    a.domain === b.domain
  );
}

/** A map whose readers all wait joins the last kernel of its shape that they allow. */
export function assignLevels(values: Values): Map<Value, number> {
  const levels = new Map<Value, number>();
  const places = new Map<number, Map<Value, number>>();
  for (const v of values.all) {
    const known = places.get(v.at) ?? new Map<Value, number>();
    places.set(v.at, known);
    if (!isLeaf(v)) levels.set(v, level(v, v.at, known));
  }
  const readers = values.consumers();
  for (const v of [...values.all].reverse()) {
    if (v.op !== "map") continue;
    const first = Math.min(
      ...(readers.get(v) ?? [])
        .filter((r) => r.at === v.at && r.loop === v.loop)
        .map((r) => (levels.get(r) as number) - (fuses(v, r) ? 0 : 1)),
    );
    if (Number.isFinite(first)) levels.set(v, Math.max(first, levels.get(v) as number));
  }
  return levels;
}
