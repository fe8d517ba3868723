/** What a gradient adds to planning: recomputation, the join of Σ Uᵀδ over the gates, the stacks of dW, dU and db, and shared memory. */
import { cheap } from "../cheap.ts";
import type { ParameterNode } from "../graph.ts";
import { cut, parameterOf, stacked } from "./layout.ts";
import { planMemory } from "./memory.ts";
import { kindOf, place, sectionOf } from "./place.ts";
import type { Backward, Side } from "./stack.ts";
import { isLeaf, type Term, type Value, type Values } from "./value.ts";

/**
 * What is cheap to compute is computed again in a later walk, rather than kept for the whole sequence. (Not in a whole: there
 * all rows exist at once, so nothing would be saved.)
 */
function rematerialize(values: Values): void {
  const kept = new Set<Value>(values.next.values());
  const clones = new Map<string, Value>();
  const again = (v: Value, section: number): Value => {
    if (
      v.op !== "map" ||
      !v.fn ||
      !cheap.has(v.fn) ||
      isSum(v) ||
      v.domain !== "sequence" ||
      kept.has(v) ||
      sectionOf(v.at) >= section
    )
      return v;
    const key = `${v.id}@${section}`;
    let clone = clones.get(key);
    if (!clone) {
      clone = values.make({
        ...v,
        args: v.args.map((a) => again(a, section)),
        loop: undefined,
        at: place(section, 0),
      });
      clones.set(key, clone);
    }
    return clone;
  };
  for (const v of [...values.all]) {
    if (isLeaf(v)) continue;
    const section = sectionOf(v.at);
    if (kindOf(section) === "whole") continue;
    v.args = v.args.map((a) => again(a, section));
    v.terms = v.terms.map((t) => ({ ...t, left: again(t.left, section), right: again(t.right, section) }));
  }
}

/** A sum with products in it becomes a gemm: its result is kept, like a product's. */
const isSum = (v: Value): boolean =>
  v.op === "map" && v.fn === "plus" && v.args.some((a) => a.op === "gemm" || isSum(a));

/** Transposed products in the order of their matrices in storage, cut into lists whose matrices are stacked. */
export function joinable(terms: readonly Term[]): Term[][] {
  const key = (t: Term): string => parameterOf(t.left)?.storage.name ?? "";
  const ordered = [...terms].sort((a, b) =>
    key(a) < key(b)
      ? -1
      : key(a) > key(b)
        ? 1
        : (parameterOf(a.left)?.row ?? 0) - (parameterOf(b.left)?.row ?? 0),
  );
  return cut(
    ordered,
    (a, b) =>
      a.kind === "product" && b.kind === "product" && a.transposed && b.transposed && stacked(a.left, b.left),
  );
}

/** The operand that differs between stacked gradients: a, or b where a is the constant 1 (a vector's gradient). */
const outerSide = (t: Term): Value => (t.left.op === "constant" ? t.right : t.left);

function stackedGradients(a: Value, b: Value, gradients: ReadonlyMap<Value, ParameterNode>): boolean {
  const [pa, pb] = [gradients.get(a), gradients.get(b)];
  return (
    pa !== undefined && pb !== undefined && pa.storage === pb.storage && pb.row === pa.row + pa.rows && a.args.length === 0 && b.args.length === 0 && a.terms.length === b.terms.length &&
    a.terms.every((t, i) => {
      const u = b.terms[i] as Term;
      return t.kind === "outer" && u.kind === "outer" && (t.left.op === "constant" ? u.left === t.left : u.right === t.right);
    })
  ); // prettier-ignore
}

const width = (list: readonly Value[]): number => list.reduce((sum, v) => sum + v.width, 0);

export const backward: Backward = {
  recompute: rematerialize,

  stack(ordered, together, layout, gradients) {
    const outers = (a: Value, b: Value): boolean => together(a, b) && stackedGradients(a, b, gradients);
    // Operands that are read together: longest lists first, so that the largest gemms get their way.
    const wanted: Value[][] = [];
    for (const run of cut(ordered, outers))
      for (const i of (run[0] as Value).terms.keys())
        wanted.push(run.map((v) => outerSide(v.terms[i] as Term)));
    for (const v of ordered) for (const join of joinable(v.terms)) wanted.push(join.map((t) => t.right));
    for (const list of wanted.filter((l) => l.length > 1).sort((a, b) => b.length - a.length))
      layout.request(list);
    const beside = (a: Value, b: Value): boolean =>
      a.terms.every((t, i) => layout.follows(outerSide(t), outerSide(b.terms[i] as Term)));
    return cut(ordered, (a, b) => outers(a, b) && beside(a, b)).filter((run) => run.length > 1);
  },

  sides(run, layout) {
    const [v] = run as [Value];
    const side = (left: readonly Value[], right: readonly Value[], transposed: boolean): Side => ({
      left: left[0] as Value, leftWidth: width(left), right: right[0] as Value, rightWidth: width(right), transposed,
    }); // prettier-ignore
    if (v.terms[0]?.kind === "outer")
      return v.terms.map((t, i) => {
        const all = run.map((g) => outerSide(g.terms[i] as Term));
        return t.left.op === "constant" ? side([t.left], all, false) : side(all, [t.right], false);
      });
    return joinable(v.terms)
      .flatMap((join) => cut(join, (a, b) => layout.follows(a.right, b.right)))
      .map((terms) => side(terms.map((t) => t.left), terms.map((t) => t.right), (terms[0] as Term).transposed)); // prettier-ignore
  },

  share: planMemory,
};
