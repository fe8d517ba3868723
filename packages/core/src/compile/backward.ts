/** What a gradient adds to planning: recomputation, the join of Σ Uᵀδ over the gates, the stacks of dW, dU and db, and shared memory. */
import type { FunctionName, GemmTerm, Kernel } from "../backend.ts";
import type { Storage } from "../graph.ts";
import { cut, follows, putTogether, widthOf } from "./layout.ts";
import { together } from "./levels.ts";
import { planMemory } from "./memory.ts";
import { kindOf, sectionOf, startOf } from "./place.ts";
import { samePairs, sortBy, type Backward } from "./stack.ts";
import { addendOf, isGemm, isSum, products, type Term, type Value, type Values } from "./value.ts";

/** Functions whose results are kept; any other is cheaper to compute again than to keep for a whole sequence. */
const dear: readonly FunctionName[] = ["exp", "log", "tanh", "sigmoid", "softplus", "sqrt", "rsqrt", "reciprocal"]; // prettier-ignore

/**
 * What is cheap to compute is computed again in a later walk, rather than kept for the whole sequence. (Not in a whole: there
 * all rows exist at once, so nothing would be saved.)
 */
function recompute({ all }: Values): void {
  const clones = new Map<number, Map<Value, Value>>();
  const again = (v: Value, section: number): Value => {
    const kept =
      v.op !== "map" ||
      dear.includes(v.fn as FunctionName) ||
      addsProducts(v) ||
      v.domain !== "sequence" ||
      v.state;
    if (kept || sectionOf(v.at) >= section) return v;
    const known = clones.get(section) ?? new Map<Value, Value>();
    clones.set(section, known);
    let clone = known.get(v);
    if (!clone) {
      const args = v.args.map((a) => again(a, section));
      known.set(v, (clone = { ...v, args, loop: undefined, at: startOf(section) }));
    }
    return clone;
  };
  for (const v of all) if (kindOf(v.at) !== "whole") v.args = v.args.map((a) => again(a, sectionOf(v.at)));
}

/** A sum with products in it becomes a gemm: its result is kept, like a product's. */
const addsProducts = (v: Value): boolean => isSum(v) && v.args.some((a) => isGemm(a) || addsProducts(a));

/** Products in the order of their matrices in storage, cut into lists whose matrices are stacked, and transposed. */
const joinable = (terms: readonly Term[]): Term[][] =>
  cut(
    sortBy(terms, ({ left }) => [left.storage?.name ?? "", left.row ?? 0]),
    (a, b) => a.transposed && b.transposed && follows(a.left, b.left),
  );

/** The operand that differs between stacked gradients: a, or b where a is the constant 1 (a vector's gradient). */
const outerSide = ({ left, right }: Term): Value => (left.op === "constant" ? right : left);

/** Whether two gradients lie behind each other and share their other operands. */
const stackedGradients = (a: Value, b: Value): boolean =>
  together(a, b) &&
  a.op === "outer" &&
  b.op === "outer" &&
  a.storage !== undefined &&
  follows(a, b) &&
  !addendOf(a) &&
  !addendOf(b) &&
  samePairs(a, b, (t, u) => (t.left.op === "constant" ? u.left === t.left : u.right === t.right));

export const backward: Backward = {
  wanted(gradients = new Map()) {
    const storages = new Map<Storage, Storage>();
    return [...gradients].map(([{ name, storage, row }, node]) => {
      const own = storages.get(storage) ?? { ...storage, name: `d.${storage.name}` };
      storages.set(storage, own);
      return { name: `d.${name}`, node, storage: own, row };
    });
  },

  recompute,

  stack(ordered) {
    // Operands that are read together: longest lists first, so that the largest gemms get their way.
    const wanted: Value[][] = [];
    for (const run of cut(ordered, stackedGradients))
      for (const i of products(run[0] as Value).keys())
        wanted.push(run.map((v) => outerSide(products(v)[i] as Term)));
    for (const v of ordered) for (const join of joinable(products(v))) wanted.push(join.map((t) => t.right));
    wanted.sort((a, b) => b.length - a.length).forEach(putTogether);
    const beside = (t: Term, u: Term): boolean => follows(outerSide(t), outerSide(u));
    return cut(ordered, (a, b) => stackedGradients(a, b) && samePairs(a, b, beside)).filter(
      (run) => run.length > 1,
    );
  },

  sides: (run) =>
    joinable(products(run[0] as Value))
      .flatMap((join) => cut(join, (a, b) => follows(a.right, b.right)))
      .map((terms) => ({ ...(terms[0] as Term), rightWidth: widthOf(terms.map((t) => t.right)) })),

  launches(run, single, read) {
    const [v] = run as [Value];
    const { op, width, rows, domain, args } = v;
    if (op === "scatterAdd")
      return single(
        run,
        { op, width, tableRows: domain === "one" ? rows : "steps" },
        args.map(read),
        args[1],
      );
    // Gradients of matrices are stacked by rows, those of vectors by columns.
    const [{ left, right }] = products(v) as [Term];
    const byRows = left.op !== "constant";
    const addend = addendOf(v);
    const inputs = addend ? [read(addend)] : [];
    const terms = products(v).map((t, i): GemmTerm => {
      const beside = widthOf(run.map((g) => outerSide(products(g)[i] as Term)));
      const a = inputs.push({ ...read(t.left), ...(byRows && { width: beside }) }) - 1;
      const b = inputs.push({ ...read(t.right), ...(!byRows && { width: beside }) }) - 1;
      return { a, b, transposeA: true, transposeB: false, depth: "rows" };
    });
    const kernel: Kernel = {
      op: "gemm",
      rows: byRows ? run.reduce((sum, g) => sum + g.rows, 0) : 1,
      width: byRows ? width : widthOf(run),
      addend: addend !== undefined,
      terms,
    };
    return single(run, kernel, inputs, right);
  },

  share: planMemory,
};
