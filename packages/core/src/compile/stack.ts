/**
 * Stack: products that share an operand, and gradients that share one, are one gemm; so are transposed products whose matrices
 * are stacked. What they read and write together is asked to lie side by side.
 */
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
  const sideBySide = (a: Value | undefined, b: Value | undefined): boolean =>
    a === undefined || b === undefined
      ? a === b
      : stacked(a, b) ||
        (a.op === "gemm" && b.op === "gemm" && together(a, b) && sideBySide(a.args[0], b.args[0]));
  const replaced = new Map<Value, Value>();
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

/** Choose which gemms are one kernel, and ask for their operands side by side. Returns each kernel's first value → all of it. */
export function stackGemms(
  values: Values,
  levels: ReadonlyMap<Value, number>,
  layout: Layout,
  gradients: ReadonlyMap<Value, ParameterNode>,
): Map<Value, readonly Value[]> {
  const together = (a: Value, b: Value): boolean =>
    a.at === b.at && a.loop === b.loop && levels.get(a) === levels.get(b);
  const ordered = inStorageOrder(values, levels, (v) => gradients.get(v));

  const runs: Value[][] = [];
  for (const run of cut(
    ordered,
    (a, b) => together(a, b) && !layout.alone.has(a) && !layout.alone.has(b) && sameStack(a, b),
  )) {
    layout.request(run);
    runs.push(run);
  }
  // Operands that are read together: longest lists first, so that the largest gemms get their way.
  const wanted: Value[][] = [];
  const outers = (a: Value, b: Value): boolean => together(a, b) && stackedGradients(a, b, gradients);
  for (const run of cut(ordered, outers))
    if (run.length > 1)
      for (const i of (run[0] as Value).terms.keys())
        wanted.push(run.map((v) => outerSide(v.terms[i] as Term)));
  for (const v of ordered)
    for (const join of joinable(v.terms)) if (join.length > 1) wanted.push(join.map((t) => t.right));
  for (const list of wanted.sort((a, b) => b.length - a.length)) layout.request(list);

  const outerRuns = cut(
    ordered,
    (a, b) =>
      outers(a, b) && a.terms.every((t, i) => layout.follows(outerSide(t), outerSide(b.terms[i] as Term))),
  );
  const found = new Map<Value, readonly Value[]>();
  for (const run of [...runs, ...outerRuns.filter((r) => r.length > 1)]) {
    for (const v of run) found.delete(v);
    found.set(run[0] as Value, run);
  }
  return found;
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

/** The products of a (stacked) gemm as lists of values that lie side by side: [left, right, transposed, depth]. */
export function joinTerms(
  run: readonly Value[],
  layout: Layout,
): (readonly [Value[], Value[], boolean, number])[] {
  const [v] = run as [Value];
  if (v.terms[0]?.kind === "outer")
    return v.terms.map((t, i) => {
      const all = run.map((g) => g.terms[i] as Term);
      return t.left.op === "constant"
        ? ([[t.left], all.map((u) => u.right), false, 0] as const)
        : ([all.map((u) => u.left), [t.right], false, 0] as const);
    });
  return joinable(v.terms).flatMap((join) =>
    cut(join, (a, b) => layout.follows(a.right, b.right)).map((terms) => {
      const [t] = terms as [Term];
      const depth = terms.reduce((sum, u) => sum + u.right.width, 0);
      return [terms.map((u) => u.left), terms.map((u) => u.right), t.transposed, depth] as const;
    }),
  );
}
