/** Checks of what users give. Each says who, what was expected, what came, and where it helps what to do. */
import { fail } from "./errors.ts";

export const kindOf = (value: unknown): string =>
  value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;

/** A value in a message: text and numbers as they are, everything else by its kind. */
export const show = (value: unknown): string =>
  typeof value === "string" ? `"${value}"` : Object(value) === value ? kindOf(value) : String(value);

/**
 * Where what was wanted is dear to say, it is asked for only once it is known to be needed: `if (!ok) check(false, …)`.
 * @throws INVALID_ARGUMENT
 */
export function check(ok: boolean, who: string, wanted: string, got: unknown, advice = ""): asserts ok {
  if (!ok) fail("INVALID_ARGUMENT", `${who}: expected ${wanted}, got ${show(got)}${advice}`);
}

/** Whether it is a whole number that is exact, within limits. */
export const isWhole = (value: unknown, least = 1, most = Infinity): value is number =>
  Number.isSafeInteger(value) && least <= (value as number) && (value as number) <= most;

export function checkWhole(value: unknown, who: string, least = 1, most = Infinity): void {
  const range = least > -Infinity ? ` from ${least} ${most < Infinity ? `to ${most}` : "on"}` : "";
  check(isWhole(value, least, most), who, `a whole number${range}`, value);
}

/** Checks a value against the few that there are. */
export function checkOneOf(value: unknown, allowed: readonly unknown[], who: string): void {
  if (!allowed.includes(value)) check(false, who, allowed.map((a) => JSON.stringify(a)).join(" or "), value);
}

/** Something with names of its own to look at; a list or a Map has none, and would be taken for an empty record. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !(Symbol.iterator in value);

/** Options are records of known names: a misspelt one would be passed over without a word. @throws INVALID_ARGUMENT, UNKNOWN_NAME */
export function checkOptions(options: object, known: readonly string[], who: string): void {
  if (!isRecord(options)) check(false, who, `options { ${known.join(", ")} }`, options);
  for (const name of Object.keys(options))
    if (!known.includes(name))
      fail("UNKNOWN_NAME", `${who}: expected options among ${known.join(", ")}, got ${name}`);
}

/** Names with dots or spaces are made by Recurra: of states, gates and gradients. */
export function checkName(name: unknown, who: string, taken: readonly string[] = []): void {
  check(
    typeof name === "string" && /^(?!__proto__$)[^.#\s]+$/.test(name) && !taken.includes(name),
    who,
    `names without dots and spaces${taken.length > 0 ? `, other than ${taken.join(", ")}` : ""}`,
    name,
  );
}
