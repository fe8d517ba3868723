// The embedded Reber grammar. Reber 1967; embedded as in Cleeremans, Servan-Schreiber & McClelland 1989 and Hochreiter &
// Schmidhuber 1997, section 5.1: B, then T or P, a string of the grammar, the same T or P again, E. What has to be kept through the
// inner string is the second symbol.
import type { Draw } from "./random.ts";

export const SYMBOLS = "BTSXPVE";

/** By state: the two symbols that may come, each with the state after it. */
const grammar: readonly (readonly (readonly [symbol: string, next: number])[])[] = [
  [["T", 1], ["P", 2]],
  [["S", 1], ["X", 3]],
  [["T", 2], ["V", 4]],
  [["X", 2], ["S", 5]],
  [["P", 3], ["V", 5]],
]; // prettier-ignore
const END = 5;

export interface ReberString {
  readonly symbols: string;
  /** After each symbol but the last: the symbols that may come next. */
  readonly legal: readonly string[];
}

/** Where two symbols may come, each does with probability ½. */
export function drawReber(draw: Draw): ReberString {
  const outer = draw() < 0.5 ? "T" : "P";
  let symbols = `B${outer}B`;
  const legal = ["TP", "B"];
  for (let state = 0; state !== END;) {
    const choices = grammar[state]!;
    legal.push(choices.map(([symbol]) => symbol).join(""));
    const [symbol, next] = choices[draw() < 0.5 ? 0 : 1]!;
    symbols += symbol;
    state = next;
  }
  return { symbols: `${symbols}E${outer}E`, legal: [...legal, "E", outer, "E"] };
}

/**
 * Whether every legal next symbol is more probable than every illegal one, at every step.
 * @param scores of a symbol at a step
 */
export const isPredicted = (
  { legal }: ReberString,
  scores: (step: number, symbol: number) => number,
): boolean =>
  legal.every((may, step) => {
    let least = Infinity;
    let most = -Infinity;
    for (let k = 0; k < SYMBOLS.length; k++) {
      const score = scores(step, k);
      if (Number.isNaN(score)) return false;
      if (may.includes(SYMBOLS[k]!)) least = Math.min(least, score);
      else most = Math.max(most, score);
    }
    return least > most;
  });
