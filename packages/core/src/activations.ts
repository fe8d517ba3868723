/**
 * Activations that are compositions of the pointwise functions, so that no backend needs to know them. Names, formulas and
 * default alphas and betas are those of ONNX's recurrent operators. Those with options return the activation.
 */
import { abs, apply, clamp, exp, less, min, select, tanh, type Expr } from "./expr.ts";

export type Activation = (v: Expr) => Expr;
interface Alpha {
  readonly alpha?: number;
}
interface AlphaBeta extends Alpha {
  readonly beta?: number;
}

/** 1 − v */
export const oneMinus: Activation = (v) => apply("minus", 1, v);

/** v / (1 + |v|) */
export const softsign: Activation = (v) => v.over(abs(v).plus(1));

/** alpha · v + beta */
export const affine =
  ({ alpha = 1, beta = 0 }: AlphaBeta = {}): Activation =>
  (v) =>
    v.times(alpha).plus(beta);

/** alpha · tanh(beta · v). ONNX gives no defaults. */
export const scaledTanh =
  ({ alpha, beta }: Required<AlphaBeta>): Activation =>
  (v) =>
    tanh(v.times(beta)).times(alpha);

/** alpha · v + beta between 0 and 1 */
export const hardSigmoid =
  ({ alpha = 0.2, beta = 0.5 }: AlphaBeta = {}): Activation =>
  (v) =>
    clamp(v.times(alpha).plus(beta), 0, 1);

/** v where v ≥ 0, else alpha · v */
export const leakyRelu =
  ({ alpha = 0.01 }: Alpha = {}): Activation =>
  (v) =>
    select(less(v, 0), v.times(alpha), v);

/** v where v ≥ alpha, else 0 */
export const thresholdedRelu =
  ({ alpha = 1 }: Alpha = {}): Activation =>
  (v) =>
    select(less(v, alpha), 0, v);

/** v where v ≥ 0, else alpha · (exp(v) − 1) */
export const elu =
  ({ alpha = 1 }: Alpha = {}): Activation =>
  (v) =>
    // exp sees no positive v, so that the branch not taken can't overflow (∞ · 0 would be NaN in the gradient).
    select(less(v, 0), exp(min(v, 0)).minus(1).times(alpha), v);
