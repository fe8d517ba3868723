/** Losses between the output and a target of the same shape. Each as PyTorch's of that name, with its mean over all elements. */
import { abs, less, min, rowMean, select, softplus, type Expr } from "@recurra/core";
import { check, checkOptions, fail } from "@recurra/core/internal";
import { meanOf, valuesOf, type Loss, type Rows } from "./loss.ts";

/** ℓ = the mean over the row of something of output and target. */
const between = (name: string, of: (output: Expr, target: Expr) => Expr, range?: [number, number]): Loss => ({
  name,
  define: (output, site) => rowMean(of(output, site.input("target", output.width))),
  read: (target, rows) => ({
    inputs: { target: floats(valuesOf(target, rows, rows.width, name) as Float32Array, rows, name, range) },
    ...meanOf(rows),
  }),
});

/** The target with zeros past each row's end, where anything may lie. */
function floats(
  data: Float32Array,
  rows: Rows,
  who: string,
  [low, high] = [-Infinity, Infinity],
): Float32Array {
  const { width } = rows;
  let own = data;
  for (let r = 0, at = 0; at < data.length; r++, at += width)
    if (rows.counts(r)) {
      for (let i = at; i < at + width; i++) {
        const value = data[i]!;
        if (!Number.isFinite(value))
          fail("NON_FINITE", `${who}: ${rows.where(r)}: expected a finite target, got ${value}`);
        if (value < low || value > high)
          fail(
            "INVALID_ARGUMENT",
            `${who}: ${rows.where(r)}: expected a target from ${low} to ${high}, got ${value}`,
          );
      }
    } else {
      if (own === data) own = data.slice();
      own.fill(0, at, at + width);
    }
  return own;
}

/** (y − t)². */
export const meanSquared = (): Loss =>
  between("meanSquared", (y, t) => {
    const error = y.minus(t);
    return error.times(error);
  });

/** |y − t|. */
export const meanAbsolute = (): Loss => between("meanAbsolute", (y, t) => abs(y.minus(t)));

const positive = (value: unknown, who: string): void =>
  check(typeof value === "number" && value > 0 && value < Infinity, who, "a number above 0", value);

/** ½ e² up to |e| = delta, delta · (|e| − ½ delta) beyond. Huber 1964. */
export function huber(options: { readonly delta?: number } = {}): Loss {
  checkOptions(options, ["delta"], "huber");
  const { delta = 1 } = options;
  positive(delta, "huber: delta");
  return between("huber", (y, t) => {
    const error = abs(y.minus(t));
    // Of both branches only the near part is squared: 0 · ∞ can't arise in the gradient.
    const near = min(error, delta);
    return near.times(near).times(0.5).plus(error.minus(near).times(delta));
  });
}

/** ½ e² / beta up to |e| = beta, |e| − ½ beta beyond. Girshick 2015, "Fast R-CNN". */
export function smoothL1(options: { readonly beta?: number } = {}): Loss {
  checkOptions(options, ["beta"], "smoothL1");
  const { beta = 1 } = options;
  positive(beta, "smoothL1: beta");
  return between("smoothL1", (y, t) => {
    const error = abs(y.minus(t));
    return select(less(error, beta), error.times(error).times(0.5 / beta), error.minus(0.5 * beta));
  });
}

/** −t · log σ(z) − (1 − t) · log(1 − σ(z)) of logits z and targets from 0 to 1. */
export const binaryCrossEntropy = (): Loss =>
  between("binaryCrossEntropy", (z, t) => softplus(z).minus(z.times(t)), [0, 1]);
