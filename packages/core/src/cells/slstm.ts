import { cell, type Cell } from "../cell.ts";
import { fail } from "../errors.ts";
import { checkOptions } from "../check.ts";
import { exp, max, neg, sigmoid, softplus, tanh, type Expr } from "../expr.ts";

/**
 * sLSTM: an exponential input gate, a normaliser n, and a stabiliser m that keeps exp from overflowing. Beck et al. 2024,
 * "xLSTM: Extended long short-term memory", equations 8 to 17, as one head (U is dense). A trace shows the stabilised
 * gates i′ and f′ as i and f: the ones that are applied.
 *
 * @param forget σ(f̃) or exp(f̃)
 */
export const slstm = (options: { readonly forget?: "sigmoid" | "exp" } = {}): Cell => {
  checkOptions(options, ["forget"], "slstm");
  const { forget = "sigmoid" } = options;
  if (!Object.hasOwn(logForgets, forget))
    fail("INVALID_ARGUMENT", `slstm: expected forget "sigmoid" or "exp", got ${String(forget)}`);
  const logForget = logForgets[forget];
  return cell({
    name: "slstm",
    state: { h: {}, c: {}, n: {}, m: { initial: -Infinity } },
    W: ["i", "f", "z", "o"],
    U: ["i", "f", "z", "o"],
    b: ["i", "f", "z", "o"],

    step({ x, h, c, n, m, W, U, b }) {
      const logI = W.i.dot(x).plus(U.i.dot(h), b.i);
      const logF = logForget(W.f.dot(x).plus(U.f.dot(h), b.f));
      const z = tanh(W.z.dot(x).plus(U.z.dot(h), b.z));
      const o = sigmoid(W.o.dot(x).plus(U.o.dot(h), b.o));

      const mNext = max(logF.plus(m), logI);
      const i = exp(logI.minus(mNext));
      const f = exp(logF.plus(m).minus(mNext));

      const cNext = f.times(c).plus(i.times(z));
      const nNext = f.times(n).plus(i);
      return { h: o.times(cNext.over(nNext)), c: cNext, n: nNext, m: mNext, i, f };
    },
  });
};

/** log f, from f̃. */
const logForgets = {
  sigmoid: (v: Expr) => neg(softplus(neg(v))), // log σ(v) = −log(1 + exp(−v))
  exp: (v: Expr) => v,
};
