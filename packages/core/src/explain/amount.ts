/** How many, symbolic in the number of steps T, the batch size B and the chunk's steps C: what `explain` counts with. */

/** Values of the symbols that are known. */
export type Sizes = Readonly<Partial<Record<"T" | "B" | "C", number>>>;

const units = ["T·B", "C·B", "T", "C", "B", ""] as const;
export type Unit = (typeof units)[number];

/** A sum: a coefficient of each unit. */
export type Amount = Readonly<Partial<Record<Unit, number>>>;

export const add = (...amounts: readonly Amount[]): Amount =>
  Object.fromEntries(units.map((u) => [u, amounts.reduce((sum, amount) => sum + (amount[u] ?? 0), 0)]));

export const times = (amount: Amount, factor: number): Amount =>
  Object.fromEntries(units.map((u) => [u, (amount[u] ?? 0) * factor]));

/** What happens at one step, over all steps. */
export const everyStep = (amount: Amount): Amount => ({ "T·B": amount.B ?? 0, T: amount[""] ?? 0 });

/** "1,600·T·B + 80"; a number where all symbols are known. */
export function show(amount: Amount, sizes: Sizes): string {
  const terms = new Map<string, number>();
  for (const unit of units) {
    const coefficient = amount[unit] ?? 0;
    if (coefficient === 0) continue;
    const symbols = unit.split("·").filter((s) => s !== "") as (keyof Sizes)[];
    const left = symbols.filter((s) => sizes[s] === undefined).join("·");
    const value = symbols.reduce((product, s) => product * (sizes[s] ?? 1), coefficient);
    terms.set(left, (terms.get(left) ?? 0) + value);
  }
  const written = [...terms].map(([symbols, value]) =>
    symbols === "" ? number(value) : value === 1 ? symbols : `${number(value)}·${symbols}`,
  );
  return written.join(" + ") || "0";
}

const number = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 1 });
