/**
 * Join: products that are summed become one gemm, whose addend is what came before them: the bias, then what was projected
 * before the loop. The order of the sum is bias, products by place (x before h), then the pointwise rest.
 */
import { level } from "./levels.ts";
import { operands, type Term, type Value, type Values } from "./value.ts";

export interface SumOptions {
  /** "joined": products of a loop's sums that could run before the loop stay in its gemm. */
  readonly projection: "before" | "joined";
}

export function joinSums(values: Values, roots: Value[], { projection }: SumOptions): void {
  const readers = values.consumers();
  const pinned = new Set<Value>([...roots, ...values.next.values()]);
  const onlyReader = (v: Value): Value | undefined => {
    const [reader, another] = readers.get(v) ?? [];
    return reader && !another && !pinned.has(v) && operands(reader).filter((a) => a === v).length === 1
      ? reader
      : undefined;
  };
  const isSum = (v: Value): boolean => v.op === "map" && v.fn === "plus";
  /** Part of the sum that reads it, rather than a term. */
  const inner = (v: Value): boolean => {
    const reader = onlyReader(v);
    return (
      isSum(v) &&
      reader !== undefined &&
      isSum(reader) &&
      reader.width === v.width &&
      reader.domain === v.domain &&
      reader.rows === v.rows
    );
  };
  const flatten = (v: Value): Value[] => v.args.flatMap((a) => (inner(a) ? flatten(a) : [a]));

  const replaced = new Map<Value, Value>();
  for (const sum of [...values.all]) {
    if (!isSum(sum) || inner(sum)) continue;
    const terms = flatten(sum);
    const isProduct = (v: Value): boolean =>
      v.op === "gemm" &&
      onlyReader(v) !== undefined &&
      v.width === sum.width &&
      v.rows === sum.rows &&
      v.domain === sum.domain;
    const products = terms.filter(isProduct);
    if (products.length === 0) continue;
    const rest = terms.filter((t) => !products.includes(t));

    const shape = { width: sum.width, rows: sum.rows, domain: sum.domain };
    const plus = (a: Value, b: Value): Value =>
      values.make({
        op: "map",
        fn: "plus",
        label: "plus",
        ...shape,
        args: [a, b],
        at: sum.at,
        loop: sum.loop,
      });
    const takeOut = (i: number): Value | undefined => (i < 0 ? undefined : rest.splice(i, 1)[0]);

    // By place; a joined projection counts as in the loop, where there is a product to join.
    const joined = projection === "joined" && products.some((p) => p.loop && p.loop === sum.loop);
    const places = new Map<number, { loop: Value["loop"]; terms: Term[] }>();
    for (const p of [...products].sort((a, b) => a.at - b.at)) {
      const here = joined && !p.loop && p.terms.every((t) => t.left.op === "parameter") ? sum : p;
      const group = places.get(here.at) ?? { loop: here.loop, terms: [] };
      group.terms.push(...p.terms);
      places.set(here.at, group);
    }

    let total = takeOut(
      rest.findIndex((t) => t.op === "parameter" && t.width === sum.width && t.rows === sum.rows),
    );
    for (const [at, group] of [...places].sort(([a], [b]) => a - b)) {
      // What is there anyway when the products' operands are may go in as the addend.
      if (!total && at === sum.at && sum.domain === "sequence") {
        const ready = Math.max(...group.terms.map((t) => Math.max(level(t.left, at), level(t.right, at))));
        const early = rest.filter(
          (t) =>
            t.width === sum.width && t.domain === sum.domain && t.rows === sum.rows && level(t, at) <= ready,
        );
        for (const t of early) rest.splice(rest.indexOf(t), 1);
        if (early.length > 0) total = early.reduce(plus);
      }
      total = values.make({
        op: "gemm",
        label: "sum",
        ...shape,
        args: total ? [total] : [],
        terms: group.terms,
        at,
        loop: group.loop,
      });
    }
    replaced.set(sum, rest.reduce(plus, total as Value));
  }

  values.replace(replaced, roots);
}
