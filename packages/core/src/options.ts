/** Checks of what callers give, of the kinds that are met more than once. Each says who, what was expected and what came. */
import { check, isRecord } from "./check.ts";
import { fail } from "./errors.ts";

/** Options are records of known names: a misspelt one would be passed over without a word. @throws INVALID_ARGUMENT where it isn't a record, UNKNOWN_NAME where a name isn't known */
export function checkOptions(options: object, known: readonly string[], who: string): void {
  check(isRecord(options), who, `options { ${known.join(", ")} }`, options);
  for (const name of Object.keys(options))
    if (!known.includes(name))
      fail("UNKNOWN_NAME", `${who}: expected options among ${known.join(", ")}, got ${name}`);
}

/** A wrong value as messages show it: itself where that says something, else its kind. */
export const show = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : kindOf(value);

/** Checks a value against the few that there are. */
export function checkOneOf(value: unknown, allowed: readonly unknown[], who: string): void {
  if (!allowed.includes(value))
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected ${allowed.map((a) => JSON.stringify(a)).join(" or ")}, got ${show(value)}`,
    );
}

/** Checks a whole number that is exact. */
export function checkWhole(value: unknown, who: string, least = -Infinity, most = Infinity): void {
  if (!(Number.isSafeInteger(value) && least <= (value as number) && (value as number) <= most))
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected a whole number${least < 0 ? "" : ` from ${least}`}${most < Infinity ? ` to ${most}` : ""}, got ${show(value)}`,
    );
}
