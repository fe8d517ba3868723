/** Layer normalisation on expressions. Ba, Kiros & Hinton 2016, "Layer normalization", equations 3 and 4, without gain and bias. */
import { concat, Expr, rowMean, rsqrt, slice } from "./expr.ts";

/** Added to the variance, so that a row of equal values gives 0. */
const epsilon = 1e-5;

/** (v − mean) / √(variance + 1e-5) over the row. A gain and a bias are the caller's: `layerNorm(v).times(gain).plus(bias)`. */
export function layerNorm(v: Expr): Expr {
  const centred = v.minus(rowMean(v));
  return centred.times(rsqrt(rowMean(centred.times(centred)).plus(epsilon)));
}

/** Normalises several vectors as if they were one: with one mean and one variance over all of them. */
export function layerNormTogether<const K extends string>(
  parts: Readonly<Record<K, Expr>>,
): Readonly<Record<K, Expr>> {
  const whole = layerNorm(concat(...Object.values<Expr>(parts)));
  let start = 0;
  const cut = ([key, { width }]: [string, Expr]): [string, Expr] => {
    start += width;
    return [key, new Expr(whole.graph, slice(whole.graph, whole.node, start - width, width))];
  };
  return Object.fromEntries(Object.entries<Expr>(parts).map(cut)) as Record<K, Expr>;
}
