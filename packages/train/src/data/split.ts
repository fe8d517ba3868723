/** A series cut in time: what a network is judged on comes after all that it has seen. */
import type { IdTensor, Tensor } from "@recurra/core";
import { check, checkOptions, checkWhole } from "@recurra/core/internal";
import { checkSeries, isList, rows } from "./rows.ts";

export interface SplitOptions {
  /** How many steps before its own each later part begins, so that its first step can be forecast. Default: 0. */
  readonly history?: number;
}

/**
 * @param series [time, features], or ids [time]
 * @param at the steps at which parts begin, in order; the first begins at 0
 * @returns one part more than there are cuts, without copies
 */
export function splitByTime<S extends Tensor | IdTensor>(
  series: S,
  at: readonly number[],
  options: SplitOptions = {},
): S[] {
  const who = "splitByTime";
  checkOptions(options, ["history"], who);
  const time = checkSeries(series, who);
  check(isList(at), `${who}: at`, "a list of steps", at);
  const { history = 0 } = options;
  const cuts = [0, ...at, time];
  at.forEach((cut, i) => checkWhole(cut, `${who}: at`, (cuts[i] as number) + 1, time - 1));
  checkWhole(history, `${who}: history`, 0, at[0] ?? time);
  return cuts.slice(1).map((end, i) => rows(series, i === 0 ? 0 : (cuts[i] as number) - history, end));
}
