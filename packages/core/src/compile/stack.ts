/** Stack: products that share an operand are one gemm, where their matrices lie behind each other (the gates of W·x, say). */
import type { Program } from "../backend.ts";
import type { ParameterNode } from "../graph.ts";
import type { Layout } from "./layout.ts";
import { cut, parameterOf, stacked } from "./layout.ts";
import type { Term, Value, Values } from "./value.ts";

/** Whether both products come out of one gemm: the same operand, stacked matrices. */
export function sameStack(a: Value, b: Value): boolean {
  return (
    a.terms.length === b.terms.length && a.domain === b.domain &&
    a.terms.every((t, i) => {
      const u = b.terms[i] as Term;
      return t.kind === "product" && u.kind === "product" && !t.transposed && !u.transposed && t.right === u.right && stacked(t.left, u.left);
    })
  ); // prettier-ignore
}

/** Gemms by place and level, then so that those which may be stacked follow each other. */
export function inStorageOrder(
  values: Values,
  levels: ReadonlyMap<Value, number>,
  gradientOf: (v: Value) => ParameterNode | undefined,
): Value[] {
  const keys = new Map(
    values.all.filter((v) => v.op === "gemm").map((v) => {
      const [t] = v.terms as [Term];
      const home = gradientOf(v) ?? parameterOf(t.left);
      return [v, { storage: home?.storage.name ?? "", shared: t.left.op === "constant" ? t.left.id : t.right.id, row: home?.row ?? 0, level: levels.get(v) as number }];
    }),
  ); // prettier-ignore
  return [...keys]
    .sort(
      ([a, x], [b, y]) =>
        a.at - b.at ||
        x.level - y.level ||
        (x.storage < y.storage ? -1 : x.storage > y.storage ? 1 : 0) ||
        x.shared - y.shared ||
        x.row - y.row,
    )
    .map(([v]) => v);
}

/**
 * Addends that won't lie side by side can't go into one gemm: they are added by maps after it, so that the products stay one kernel.
 * Addends do when they are stacked parameters, or come out of one gemm themselves.
 */
export function separateAddends(values: Values, roots: Value[], levels: ReadonlyMap<Value, number>): void {
  const pinned = new Set([...roots, ...values.next.values()]);
  const together = (a: Value, b: Value): boolean =>
    a.at === b.at &&
    a.loop === b.loop &&
    levels.get(a) === levels.get(b) &&
    sameStack(a, b) &&
    !pinned.has(a) &&
    !pinned.has(b);
  // Runs come in the order of their places, so what an addend's own run became is known.
  const replaced = new Map<Value, Value>();
  const sideBySide = (a: Value | undefined, b: Value | undefined): boolean =>
    a === undefined || b === undefined
      ? a === b
      : stacked(a, b) ||
        (a.op === "gemm" &&
          b.op === "gemm" &&
          !replaced.has(a) &&
          !replaced.has(b) &&
          together(a, b) &&
          sideBySide(a.args[0], b.args[0]));
  for (const run of cut(
    inStorageOrder(values, levels, () => undefined),
    together,
  )) {
    if (run.every((v, i) => i === 0 || sideBySide(run[i - 1]?.args[0], v.args[0]))) continue;
    for (const v of run) {
      const [addend] = v.args;
      if (!addend) continue;
      const bare = values.make({ ...v, args: [] });
      replaced.set(
        v,
        values.make({ ...v, op: "map", fn: "plus", label: "plus", args: [addend, bare], terms: [] }),
      );
    }
  }
  values.replace(replaced, roots);
}

/** A product of a (stacked) gemm: operands that begin at these values and are this wide. */
export interface Side {
  readonly left: Value;
  readonly leftWidth: number;
  readonly right: Value;
  readonly rightWidth: number;
  readonly transposed: boolean;
}

/** What a gradient adds to planning; apart (backward.ts), so that a page that only infers doesn't ship it. */
export interface Backward {
  /** Compute again, in a later walk, what is cheaper to compute than to keep. */
  recompute(values: Values): void;
  /** Runs of gradients that are one gemm. Asks the layout for what they, and transposed products, read together. */
  stack(
    ordered: readonly Value[],
    together: Together,
    layout: Layout,
    gradients: ReadonlyMap<Value, ParameterNode>,
  ): Value[][];
  /** A gemm's products, those with neighbouring operands taken together. */
  sides(run: readonly Value[], layout: Layout): Side[];
  /** Let values share memory. */
  share(program: Program): Program;
}

/** Whether two gemms run at the same time. */
export type Together = (a: Value, b: Value) => boolean;

/** Choose which gemms are one kernel. Returns each kernel's first value → all of it. */
export function stackGemms(
  values: Values,
  levels: ReadonlyMap<Value, number>,
  layout: Layout,
  gradients: ReadonlyMap<Value, ParameterNode>,
  backward: Backward | undefined,
): Map<Value, readonly Value[]> {
  const together: Together = (a, b) => a.at === b.at && a.loop === b.loop && levels.get(a) === levels.get(b);
  const ordered = inStorageOrder(values, levels, (v) => gradients.get(v));
  const alone = (v: Value): boolean => layout.alone.has(v);
  const runs = cut(ordered, (a, b) => together(a, b) && !alone(a) && !alone(b) && sameStack(a, b));
  runs.forEach((run) => layout.request(run));
  runs.push(...(backward?.stack(ordered, together, layout, gradients) ?? []));
  const found = new Map<Value, readonly Value[]>();
  for (const run of runs) {
    for (const v of run) found.delete(v);
    found.set(run[0] as Value, run);
  }
  return found;
}

export const eachSide = ([v]: readonly Value[]): Side[] =>
  (v as Value).terms.map(({ left, right, transposed }) => ({
    left,
    leftWidth: left.width,
    right,
    rightWidth: right.width,
    transposed,
  }));
