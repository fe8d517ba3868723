/** Checks of what users give. Each says who, what was expected, what came, and where it helps what to do. */
import { fail } from "./errors.ts";
import { kindOf } from "./tensor.ts";

/** A value in a message: text and numbers as they are, everything else by its kind. */
const show = (value: unknown): string =>
  typeof value === "string" ? `"${value}"` : Object(value) === value ? kindOf(value) : String(value);

/** @throws INVALID_ARGUMENT */
export function check(ok: boolean, who: string, wanted: string, got: unknown, advice = ""): asserts ok {
  if (!ok) fail("INVALID_ARGUMENT", `${who}: expected ${wanted}, got ${show(got)}${advice}`);
}

export const isWhole = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;

/** A size. */
export function positive(value: number, who: string): number {
  check(isWhole(value), who, "a whole number of at least 1", value);
  return value;
}

/** Something with names of its own to look at; a list or a Map has none, and would be taken for an empty record. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !(Symbol.iterator in value);

/** Names with dots or spaces are made by Recurra: of states, gates and gradients. */
export function checkName(name: unknown, who: string, taken: readonly string[] = []): void {
  check(
    typeof name === "string" && /^[^.#\s]+$/.test(name) && !taken.includes(name),
    who,
    `names without dots and spaces${taken.length > 0 ? `, other than ${taken.join(", ")}` : ""}`,
    name,
  );
}
