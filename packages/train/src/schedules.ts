/**
 * Schedules: the learning rate as a function of how many steps were taken before, 0 at the first. Each as PyTorch's scheduler of that
 * kind; what a step is, a batch or an epoch, is the caller's choice. `plateau` looks at a metric, and so has a state.
 */
import { check, checkOneOf, checkOptions, checkWhole } from "@recurra/core/internal";
import { checkNumber } from "./numbers.ts";

export type Schedule = (step: number) => number;

export interface StepDecayOptions {
  readonly learningRate: number;
  /** After how many steps, each time. */
  readonly every: number;
  /** What the rate is multiplied by. Default: 0.1. */
  readonly gamma?: number;
}

/** lr · gamma^⌊step / every⌋: PyTorch's StepLR. */
export function stepDecay(options: StepDecayOptions): Schedule {
  checkOptions(options, ["learningRate", "every", "gamma"], "stepDecay");
  const { learningRate, every, gamma = 0.1 } = options;
  checkNumber(learningRate, "stepDecay: learningRate");
  checkWhole(every, "stepDecay: every");
  checkNumber(gamma, "stepDecay: gamma");
  return (step) => learningRate * gamma ** Math.floor(step / every);
}

/** lr · gamma^step: PyTorch's ExponentialLR. */
export function exponential(options: { readonly learningRate: number; readonly gamma: number }): Schedule {
  checkOptions(options, ["learningRate", "gamma"], "exponential");
  const { learningRate, gamma } = options;
  checkNumber(learningRate, "exponential: learningRate");
  checkNumber(gamma, "exponential: gamma");
  return (step) => learningRate * gamma ** step;
}

export interface CosineOptions {
  readonly learningRate: number;
  /** Half a period: how many steps from the largest rate to the least. */
  readonly steps: number;
  /** Default: 0. */
  readonly least?: number;
}

/** Half a cosine from the rate to the least one, and on: PyTorch's CosineAnnealingLR. Loshchilov & Hutter 2017. */
export function cosine(options: CosineOptions): Schedule {
  checkOptions(options, ["learningRate", "steps", "least"], "cosine");
  const { learningRate, steps, least = 0 } = options;
  checkNumber(learningRate, "cosine: learningRate");
  checkWhole(steps, "cosine: steps");
  checkNumber(least, "cosine: least");
  return (step) => least + ((learningRate - least) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}

export interface WarmUpOptions {
  /** How many steps the rate takes to grow, in a straight line. */
  readonly steps: number;
  /** The part of the rate that it begins with. Default: ⅓. */
  readonly from?: number;
  /** What comes after: a rate, or a schedule that begins then. */
  readonly then: number | Schedule;
}

/** A straight line up to a rate or a schedule: PyTorch's LinearLR, and SequentialLR where a schedule follows. */
export function warmUp(options: WarmUpOptions): Schedule {
  checkOptions(options, ["steps", "from", "then"], "warmUp");
  const { steps, from = 1 / 3, then } = options;
  checkWhole(steps, "warmUp: steps");
  checkNumber(from, "warmUp: from", 0, 1);
  if (typeof then !== "function") checkNumber(then, "warmUp: then");
  const after: Schedule = typeof then === "function" ? then : () => then;
  return (step) => (step < steps ? after(0) * (from + ((1 - from) * step) / steps) : after(step - steps));
}

export interface OneCycleOptions {
  /** The largest rate. */
  readonly learningRate: number;
  /** How many steps the cycle has. */
  readonly steps: number;
  /** The part of the steps in which the rate grows. Default: 0.3. */
  readonly rising?: number;
  /** It begins with learningRate / this. Default: 25. */
  readonly divisor?: number;
  /** It ends with what it begins with / this. Default: 1e4. */
  readonly finalDivisor?: number;
}

/** Up and down by cosines, once: PyTorch's OneCycleLR, of the learning rate alone. Smith & Topin 2018. After the cycle it stays where it ends. */
export function oneCycle(options: OneCycleOptions): Schedule {
  checkOptions(options, ["learningRate", "steps", "rising", "divisor", "finalDivisor"], "oneCycle");
  const { learningRate, steps, rising = 0.3, divisor = 25, finalDivisor = 1e4 } = options;
  checkNumber(learningRate, "oneCycle: learningRate");
  checkWhole(steps, "oneCycle: steps", 2);
  checkNumber(rising, "oneCycle: rising", 0, 1);
  checkNumber(divisor, "oneCycle: divisor", 1);
  checkNumber(finalDivisor, "oneCycle: finalDivisor", 1);
  const first = learningRate / divisor;
  const final = first / finalDivisor;
  const top = rising * steps - 1;
  const between = (from: number, to: number, part: number): number =>
    to + ((from - to) / 2) * (1 + Math.cos(Math.PI * part));
  return (step) => {
    const at = Math.min(step, steps - 1);
    if (at > top) return between(learningRate, final, (at - top) / (steps - 1 - top));
    // A rise of one step has no length.
    return between(first, learningRate, top === 0 ? 1 : at / top);
  };
}

export interface PlateauOptions {
  readonly learningRate: number;
  /** What the rate is multiplied by. Default: 0.1. */
  readonly factor?: number;
  /** How many times in a row the metric may fail to get better. Default: 10. */
  readonly patience?: number;
  /** By which part of the best it must get better to count. Default: 1e-4. */
  readonly threshold?: number;
  /** How often it isn't looked at after each fall of the rate. Default: 0. */
  readonly cooldown?: number;
  /** Default: 0. */
  readonly least?: number;
  /** Whether the metric is to fall ("min", a loss) or to rise ("max", an accuracy). Default: "min". */
  readonly mode?: "min" | "max";
}

/** Where a plateau schedule stands: plain data, for a checkpoint. `best` is absent before the first metric. */
export interface PlateauState {
  readonly learningRate: number;
  readonly best?: number;
  readonly bad: number;
  readonly cooling: number;
}

export interface Plateau {
  readonly mode: "min" | "max";
  /** The rate now. */
  readonly learningRate: number;
  /** Take in a metric; gives the rate from here on. */
  observe(metric: number): number;
  state(): PlateauState;
  /** Default: the first. */
  restore(state?: PlateauState): void;
}

/** Lowers the rate when a metric has stopped getting better: PyTorch's ReduceLROnPlateau, with its relative threshold. */
export function plateau(options: PlateauOptions): Plateau {
  checkOptions(
    options,
    ["learningRate", "factor", "patience", "threshold", "cooldown", "least", "mode"],
    "plateau",
  );
  const { learningRate, factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, least = 0 } = options;
  const { mode = "min" } = options;
  checkNumber(learningRate, "plateau: learningRate");
  checkNumber(factor, "plateau: factor", 0, 1);
  checkWhole(patience, "plateau: patience", 0);
  checkNumber(threshold, "plateau: threshold");
  checkWhole(cooldown, "plateau: cooldown", 0);
  checkNumber(least, "plateau: least");
  checkOneOf(mode, ["min", "max"], "plateau: mode");
  const first: PlateauState = { learningRate, bad: 0, cooling: 0 };
  let now = first;
  const better = (metric: number, best: number): boolean =>
    mode === "min" ? metric < best * (1 - threshold) : metric > best * (1 + threshold);
  return {
    mode,
    get learningRate() {
      return now.learningRate;
    },
    observe(metric) {
      const improves = now.best === undefined ? !Number.isNaN(metric) : better(metric, now.best);
      const best = improves ? metric : now.best;
      let [bad, cooling, rate] = [improves ? 0 : now.bad + 1, now.cooling, now.learningRate];
      if (cooling > 0) [bad, cooling] = [0, cooling - 1];
      if (bad > patience) {
        const lower = Math.max(rate * factor, least);
        // A fall that rounding would swallow isn't taken, as PyTorch has it.
        if (rate - lower > 1e-8) rate = lower;
        [bad, cooling] = [0, cooldown];
      }
      now = { learningRate: rate, ...(best !== undefined && { best }), bad, cooling };
      return rate;
    },
    state: () => now,
    restore(state = first) {
      const who = "plateau: restore";
      checkOptions(state, ["learningRate", "best", "bad", "cooling"], who);
      checkNumber(state.learningRate, `${who}: learningRate`);
      const { best = 0 } = state;
      check(typeof best === "number", `${who}: best`, "a number", best);
      checkWhole(state.bad, `${who}: bad`, 0);
      checkWhole(state.cooling, `${who}: cooling`, 0);
      now = { ...state };
    },
  };
}
