import { cell, vector, vectors } from "../cell.ts";
import { sigmoid, tanh } from "../expr.ts";
import { constant } from "../initializers.ts";
import { layerNorm, layerNormTogether } from "../layer-norm.ts";

const gates = ["i", "f", "g", "o"] as const;

/**
 * LSTM with layer normalisation, over the four gates together and over the cell. Ba, Kiros & Hinton 2016, "Layer
 * normalization", equations 20 to 22. W, U and C name its gains α₂, α₁ and α₃; its β₁ and β₂ only add to b, so they are b.
 */
export const lstmLayerNorm = cell({
  name: "lstmLayerNorm",
  state: ["h", "c"],
  W: gates,
  U: gates,
  b: gates,
  weights: {
    alphaW: vectors(gates, "H", constant(1)),
    alphaU: vectors(gates, "H", constant(1)),
    alphaC: vector("H", constant(1)),
    betaC: vector("H", constant(0)),
  },

  step({ x, h, c, W, U, b, alphaW, alphaU, alphaC, betaC }) {
    const Wx = layerNormTogether({ i: W.i.dot(x), f: W.f.dot(x), g: W.g.dot(x), o: W.o.dot(x) });
    const Uh = layerNormTogether({ i: U.i.dot(h), f: U.f.dot(h), g: U.g.dot(h), o: U.o.dot(h) });

    const i = sigmoid(Wx.i.times(alphaW.i).plus(Uh.i.times(alphaU.i), b.i));
    const f = sigmoid(Wx.f.times(alphaW.f).plus(Uh.f.times(alphaU.f), b.f));
    const g = tanh(Wx.g.times(alphaW.g).plus(Uh.g.times(alphaU.g), b.g));
    const o = sigmoid(Wx.o.times(alphaW.o).plus(Uh.o.times(alphaU.o), b.o));

    const cNext = f.times(c).plus(i.times(g));
    const shown = layerNorm(cNext).times(alphaC).plus(betaC);
    return { h: o.times(tanh(shown)), c: cNext, i, f, g, o };
  },
});
