/**
 * Losses over classes: the target is an id for each row of the output. The host uploads ids alone; which class is meant is found on
 * the device, by comparing them with 0, 1, 2, …
 */
import {
  equal,
  exp,
  log,
  rowMax,
  rowSum,
  select,
  type Expr,
  type IdTensor,
  type Tensor,
} from "@recurra/core";
import { check, checkOptions, checkWhole, fail } from "@recurra/core/internal";
import { checkNumber } from "../numbers.ts";
import { meanOf, valuesOf, type Loss, type LossSite, type Rows, type Uploads } from "./loss.ts";

export interface ClassOptions {
  /** Rows with this target have no loss. Default: −100, as PyTorch. */
  readonly ignoreIndex?: number;
  /** What each class counts; the mean then divides by Σ weights[target]. */
  readonly weights?: ArrayLike<number>;
}

export interface CrossEntropyOptions extends ClassOptions {
  /** How much of each target is spread over all classes, 0 to 1. Szegedy et al. 2016. Default: 0. */
  readonly labelSmoothing?: number;
}

/** −log softmax(z)[target], of logits z; with label smoothing and class weights as PyTorch defines them. */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  const name = "crossEntropy";
  checkOptions(options, ["ignoreIndex", "weights", "labelSmoothing"], name);
  const { labelSmoothing: spread = 0 } = options;
  checkNumber(spread, `${name}: labelSmoothing`, 0, 1);
  return classes(name, options, (z, share) => {
    const largest = rowMax(z);
    const shifted = z.minus(largest);
    const surprise = log(rowSum(exp(shifted))).minus(shifted);
    return rowSum(share(1 - spread + spread / z.width, spread / z.width, surprise));
  });
}

/** −p[target], of log-probabilities p. */
export function negativeLogLikelihood(options: ClassOptions = {}): Loss {
  const name = "negativeLogLikelihood";
  checkOptions(options, ["ignoreIndex", "weights"], name);
  return classes(name, options, (p, share) => rowSum(share(-1, 0, p)));
}

/** value · (the class is the target ? hit : miss) · the class's weight. */
type Share = (hit: number, miss: number, value: Expr) => Expr;

function classes(
  name: string,
  { ignoreIndex = -100, weights }: ClassOptions,
  of: (output: Expr, share: Share) => Expr,
): Loss {
  checkWhole(ignoreIndex, `${name}: ignoreIndex`, -Infinity);
  const weighted = weights && Float32Array.from(weights);
  weighted?.forEach((w, i) =>
    check(w >= 0 && w < Infinity, `${name}: weights: class ${i}`, "a finite number of at least 0", w),
  );

  return {
    name,
    define(output: Expr, site: LossSite): Expr {
      const { width } = output;
      if (width < 2)
        fail(
          "SHAPE_MISMATCH",
          `${name}: expected an output of a number for each of at least 2 classes, got ${width}`,
        );
      if (weighted && weighted.length !== width)
        fail(
          "SHAPE_MISMATCH",
          `${name}: expected weights for the output's ${width} classes, got ${weighted.length}`,
        );
      const ids = site.row(
        "classes",
        Float32Array.from({ length: width }, (_, i) => i),
      );
      const hits = equal(site.input("target", 1), ids);
      const weight = weighted && site.row("weights", weighted);
      return of(output, (hit, miss, value) => {
        // What misses is left out by select: 0 · ∞ would be NaN.
        const share = select(hits, value.times(hit), miss === 0 ? 0 : value.times(miss));
        return weight ? share.times(weight) : share;
      });
    },

    read(target: Tensor | IdTensor, rows: Rows): Uploads {
      const given = valuesOf(target, rows, undefined, name);
      const ids = new Float32Array(given.length).fill(-1);
      for (let r = 0; r < ids.length; r++) {
        const id = given[r]!;
        if (!rows.counts(r) || id === ignoreIndex) continue;
        if (!(Number.isInteger(id) && id >= 0 && id < rows.width))
          fail(
            "INVALID_ARGUMENT",
            `${name}: ${rows.where(r)}: expected a class from 0 to ${rows.width - 1}, got ${id}; rows without one have ${ignoreIndex} (ignoreIndex)`,
          );
        ids[r] = id;
      }
      const { total, weights: counted } = meanOf(rows, (r) => {
        const id = ids[r]!;
        return id < 0 ? 0 : weighted ? weighted[id]! : 1;
      });
      // ℓ has the classes' weights in it.
      return {
        inputs: { target: ids },
        weights: weighted ? counted.map((_, r) => (ids[r]! < 0 ? 0 : 1)) : counted,
        total,
      };
    },
  };
}
