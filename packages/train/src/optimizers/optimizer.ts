/**
 * What an optimizer is: an expression that makes new values of a parameter and its moments from the old ones and the gradient, element by
 * element. Numbers that change from step to step (the learning rate, corrections of bias) are made on the host in float64.
 */
import type { Expr } from "@recurra/core";
import { check, checkOptions } from "@recurra/core/internal";

export type Values = Readonly<Record<string, Expr>>;

export interface Optimizer {
  readonly name: string;
  /** What a step uses unless it is told another. */
  readonly learningRate: number;
  /** What each element carries from step to step, with its first value. */
  readonly moments: Readonly<Record<string, number>>;
  /** The numbers of a step, by name. @param step from 1 */
  scalars(step: number, learningRate: number): Readonly<Record<string, number>>;
  /** From the parameter `p`, its gradient `g`, the moments and the scalars: the next `p` and moments. */
  update(values: Values): Values;
}

/** The parts of an update, by name; what isn't there is a mistake of ours. */
export const given = (values: Values, name: string): Expr => values[name] as Expr;

/** L2: g + weightDecay · p, which is the gradient of ½ weightDecay · p² besides. */
export const decayed = (g: Expr, p: Expr, weightDecay: number): Expr =>
  weightDecay === 0 ? g : g.plus(p.times(weightDecay));

/** decay · before + (1 − decay) · now. */
export const average = (before: Expr, now: Expr, decay: number): Expr =>
  before.times(decay).plus(now.times(1 - decay));

/** Options that are numbers, each with its default and the range that it may have: [least, below]. */
export function readNumbers<N extends string>(
  who: string,
  options: object,
  numbers: Readonly<Record<N, readonly [value: number, least: number, below: number]>>,
  flags: readonly string[] = [],
): Record<N, number> {
  checkOptions(options, [...Object.keys(numbers), ...flags], who);
  const read = {} as Record<N, number>;
  for (const name in numbers) {
    const [byDefault, least, below] = numbers[name];
    const { [name]: value = byDefault } = options as Readonly<Partial<Record<N, unknown>>>;
    check(
      typeof value === "number" && value >= least && value < below,
      `${who}: ${name}`,
      `a number from ${least}${below < Infinity ? ` to below ${below}` : ""}`,
      value,
    );
    read[name] = value;
  }
  return read;
}

/** From here on float32 has infinity alone. */
const infinite = 2 ** 128 - 2 ** 103;

/** Ranges that several optimizers share. */
export const rate = (value: number): readonly [number, number, number] => [value, 0, infinite];
/** Above 0 in float32. An ε of 0 would make 0/0 of an element whose gradients were all 0, as it does in PyTorch. */
export const positive = (value: number): readonly [number, number, number] => [value, 2 ** -149, infinite];
export const share = (value: number): readonly [number, number, number] => [value, 0, 1];
