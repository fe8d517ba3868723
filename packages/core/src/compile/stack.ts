/** Stack: products that share an operand are one gemm, where their matrices lie behind each other (the gates of W·x, say). */
import type { Kernel, Launch, Operand, Program } from "../backend.ts";
import type { Node, ParameterNode } from "../graph.ts";
import { cut, follows, isAlone, putTogether } from "./layout.ts";
import { assignLevels, together } from "./levels.ts";
import {
  addendOf,
  isGemm,
  mapOf,
  products,
  type Term,
  type Value,
  type Values,
  type Wanted,
} from "./value.ts";

/** Whether both may come out of one gemm, but for their addends: the same operands, stacked matrices. */
const stackable = (a: Value, b: Value): boolean =>
  together(a, b) &&
  [a, b].every((v) => v.op === "product" && !isAlone(v) && !v.transposed.includes(true)) &&
  samePairs(a, b, (t, u) => t.right === u.right && follows(t.left, u.left));

/** Whether addends lie side by side: stacked parameters, or what comes out of one gemm itself. */
const sideBySide = (a: Value | undefined, b: Value | undefined): boolean =>
  a && b ? follows(a, b) || (stackable(a, b) && sideBySide(addendOf(a), addendOf(b))) : a === b;

/** Whether the products of two gemms correspond, one by one. */
export function samePairs(a: Value, b: Value, same: (t: Term, u: Term) => boolean): boolean {
  const others = products(b);
  const all = products(a);
  return all.length === others.length && all.every((t, i) => same(t, others[i] as Term));
}

/** Sort by keys that are lists: by their first items, then by their second. */
export function sortBy<T>(list: readonly T[], key: (item: T) => readonly (number | string)[]): T[] {
  const keys = new Map(list.map((item) => [item, key(item)]));
  return [...list].sort((a, b) => {
    const [x, y] = [keys.get(a), keys.get(b)] as [readonly (number | string)[], readonly (number | string)[]];
    const i = x.findIndex((item, j) => item !== y[j]);
    return i < 0 ? 0 : (x[i] as number) < (y[i] as number) ? -1 : 1;
  });
}

/** Gemms by place and level, then so that those which may be stacked follow each other. */
function inStorageOrder({ all }: Values): Value[] {
  const number = new Map(all.map((v, i) => [v, i]));
  return sortBy(all.filter(isGemm), (v) => {
    const [{ left, right }] = products(v) as [Term];
    const { storage, row = 0 } = v.storage ? v : left;
    return [v.at, v.level, storage?.name ?? "", number.get(left.op === "constant" ? left : right) as number, row];
  }); // prettier-ignore
}

/**
 * Addends that won't lie side by side can't go into one gemm: they are added by maps after it, so that the products stay one kernel.
 */
export function separateAddends(values: Values): void {
  assignLevels(values);
  // Runs come in the order of their places, so an addend whose own run was separated is a map by now.
  for (const run of cut(inStorageOrder(values), stackable))
    if (!run.every((v, i) => i === 0 || sideBySide(addendOf(run[i - 1] as Value), addendOf(v))))
      for (const v of run) {
        const addend = addendOf(v);
        if (addend) Object.assign(v, mapOf("plus", v, addend, { ...v, args: v.args.slice(1) }));
      }
}

/** A product of a (stacked) gemm. Its vector begins at `right`, and is this wide where others are taken together with it. */
export interface Side extends Term {
  readonly rightWidth?: number;
}

/** A kernel that writes the first of these values, or all of them side by side, in `over`'s rows. */
export type Single = (
  run: readonly Value[],
  kernel: Kernel,
  inputs: readonly Operand[],
  over?: Value,
) => Launch[];

/** What a gradient adds to planning; apart (backward.ts), so that a page that only infers doesn't ship it. */
export interface Backward {
  /** The gradients, under their names, to lie as their parameters do. */
  wanted(gradients: ReadonlyMap<ParameterNode, Node> | undefined): Wanted[];
  /** Compute again, in a later walk, what is cheaper to compute than to keep. */
  recompute(values: Values): void;
  /** Runs of gradients that are one gemm. Puts together what they, and transposed products, read together. */
  stack(ordered: readonly Value[]): Value[][];
  /** A gemm's products, those with neighbouring operands taken together. */
  sides(run: readonly Value[]): Side[];
  /** The kernels of sums over rows. */
  launches(run: readonly Value[], single: Single, read: (v: Value) => Operand): Launch[];
  /** Let values share memory. */
  share(program: Program): Program;
}

/** Choose which gemms are one kernel: each kernel's first value → all of it. */
export function stackGemms(values: Values, backward: Backward | undefined): Map<Value, readonly Value[]> {
  const ordered = inStorageOrder(values);
  const runs = cut(ordered, (a, b) => stackable(a, b) && sideBySide(addendOf(a), addendOf(b)));
  runs.forEach(putTogether);
  const found = new Map<Value, readonly Value[]>();
  for (const run of [...runs, ...(backward?.stack(ordered) ?? [])]) {
    for (const v of run) found.delete(v);
    found.set(run[0] as Value, run);
  }
  return found;
}
