/** Levels: in which order a part's kernels run, and which maps meet in one of them. */
import { isLeaf, readersOf, sameShape, sort, type Value, type Values } from "./value.ts";

/** Whether two values are computed at one time. */
export const together = (a: Value, b: Value): boolean =>
  a.at === b.at && a.loop === b.loop && a.level === b.level;

/** Whether two maps can be one kernel: the same place and shape. */
export const fuses = (a: Value, b: Value): boolean =>
  a.op === "map" && b.op === "map" && a.at === b.at && a.loop === b.loop && sameShape(a, b);

/** As early as operands allow. */
export function earlyLevels({ all }: Values): void {
  for (const v of all)
    if (!isLeaf(v)) {
      const before = v.args.map((a) => levelAt(a, v.at) + (v.op === "slice" || fuses(a, v) ? 0 : 1));
      v.level = Math.max(v.op === "slice" ? 0 : 1, ...before);
    }
}

/** The level at which a value is there for what is computed at `at`; a leaf's is 0. */
export const levelAt = (v: Value, at: number): number => (v.at === at ? v.level : 0);

/** A map whose readers all wait joins the last kernel of its shape that they allow. */
export function assignLevels(values: Values): void {
  sort(values);
  earlyLevels(values);
  const readers = readersOf(values);
  for (const v of [...values.all].reverse()) {
    if (v.op !== "map") continue;
    const first = Math.min(
      ...readers(v)
        .filter((r) => r.at === v.at && r.loop === v.loop)
        .map((r) => r.level - (fuses(v, r) ? 0 : 1)),
    );
    if (first < Infinity) v.level = Math.max(first, v.level);
  }
}
