/**
 * Join: products that are summed become one gemm, whose addend is what came before them: the bias, then what was projected
 * before the loop. The order of the sum is bias, products by place (x before h), then the pointwise rest.
 */
import type { Backend } from "../backend.ts";
import { earlyLevels, levelAt } from "./levels.ts";
import { cut } from "./layout.ts";
import { isGemm, isSum, mapOf, readersOf, sameShape, type Value, type Values } from "./value.ts";

/** @param projection "joined": products of a loop's sums that could run before the loop stay in its gemm */
export function joinSums(values: Values, projection: Backend["projection"]): void {
  earlyLevels(values);
  const readers = readersOf(values);
  /** Whether a value is only there to be added. */
  const onlyAdded = (v: Value, [reader, another] = readers(v)): boolean =>
    reader !== undefined &&
    isSum(reader) &&
    !another &&
    !v.state &&
    !values.roots.includes(v) &&
    sameShape(v, reader);
  /** Part of the sum that reads it, rather than a term. */
  const inner = (v: Value): boolean => isSum(v) && onlyAdded(v);
  const flatten = (v: Value): Value[] => v.args.flatMap((a) => (inner(a) ? flatten(a) : [a]));

  for (const sum of values.all) {
    if (!isSum(sum) || inner(sum)) continue;
    let rest = flatten(sum);
    const take = (wanted: (v: Value) => boolean): Value[] => {
      const taken = rest.filter(wanted);
      rest = rest.filter((v) => !taken.includes(v));
      return taken;
    };
    const products = take((v) => isGemm(v) && onlyAdded(v));
    if (products.length === 0) continue;

    // By place; a joined projection counts as in the loop, where there is a product to join.
    const joins = projection === "joined" && products.some((p) => p.loop && p.loop === sum.loop);
    const placeOf = (p: Value): Value => (joins && !p.loop && p.args[0]?.op === "parameter" ? sum : p);
    products.sort((a, b) => placeOf(a).at - placeOf(b).at || a.at - b.at);

    const plus = (a: Value, b: Value): Value => mapOf("plus", sum, a, b);
    const bias = rest.findIndex((v) => v.op === "parameter" && v.width === sum.width && v.rows === sum.rows);
    let [total] = bias < 0 ? [] : rest.splice(bias, 1);
    // A gemm sums over the rows of one domain. (Of a single row are products; gradients are sums over those of a batch or a sequence.)
    const joined = (a: Value, b: Value): boolean =>
      placeOf(a).at === placeOf(b).at && a.args[1]?.domain === b.args[1]?.domain;
    for (const run of cut(products, joined)) {
      const [first] = run as [Value];
      const { at, loop } = placeOf(first);
      const args = run.flatMap((p) => p.args);
      // What is there anyway when the products' operands are may go in as the addend.
      if (!total && at === sum.at && sum.domain === "sequence") {
        const ready = Math.max(...args.map((a) => levelAt(a, at)));
        const [early, ...more] = take((v) => sameShape(v, sum) && levelAt(v, at) <= ready);
        total = early && more.reduce(plus, early);
      }
      total = {
        ...mapOf("plus", sum, ...(total ? [total] : []), ...args),
        op: first.op,
        transposed: run.flatMap((p) => p.transposed),
        at,
        loop,
      };
    }
    Object.assign(sum, rest.reduce(plus, total as Value));
  }
}
