/**
 * Layout: values that lie side by side in one buffer, so that one gemm writes or reads them together. Gates are row blocks of
 * their matrices and columns of their results.
 */
import { isLeaf, mapOf, type Value, type Values } from "./value.ts";

/** In what a value lies, from where, and how far: rows of a storage, columns of anything else. */
const extent = (v: Value): [unknown, number | undefined, number] =>
  v.storage ? [v.storage, v.row, v.rows] : [v.op === "slice" ? v.args[0] : v.group, v.start, v.width];

/** Whether `b` lies right behind `a`. */
export function follows(a: Value, b: Value): boolean {
  const [whole, from, size] = extent(a);
  const [same, start] = extent(b);
  return whole !== undefined && whole === same && start === (from as number) + size;
}

/** Its place is given: it is a state's, or lies as a parameter does. */
export const isAlone = (v: Value): boolean => v.state !== undefined || v.storage !== undefined;

/** Put these side by side as far as none of them has its place already. */
export function putTogether(list: readonly Value[]): void {
  const free = (v: Value): boolean =>
    !v.group && !isLeaf(v) && v.op !== "slice" && v.op !== "concat" && !isAlone(v);
  const beside = (a: Value, b: Value): boolean =>
    free(a) && free(b) && a.domain === b.domain && a.at === b.at;
  for (const group of cut([...new Set(list)], beside))
    if (group.length > 1)
      group.forEach((v, i) => Object.assign(v, { group, start: widthOf(group.slice(0, i)) }));
}

export const widthOf = (list: readonly Value[]): number => list.reduce((sum, v) => sum + v.width, 0);

/** A concatenation's parts are written by maps, straight into its columns; of anything else a map makes a copy. */
export function copyParts({ all }: Values): void {
  for (const v of all)
    if (v.op === "concat")
      v.args = v.args.map((a) => (a.op === "map" ? a : mapOf("copy", { ...v, width: a.width }, a)));
}

/** Cut a list where `together` doesn't hold between neighbours. */
export function cut<T>(list: readonly T[], together: (a: T, b: T) => boolean): T[][] {
  const runs: T[][] = [];
  list.forEach((item, i) => {
    if (i > 0 && together(list[i - 1] as T, item)) runs.at(-1)?.push(item);
    else runs.push([item]);
  });
  return runs;
}
