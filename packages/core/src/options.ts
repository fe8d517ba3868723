/** Options are records of known names: a misspelt one would be passed over without a word. */
import { fail } from "./errors.ts";
import { kindOf } from "./tensor.ts";

/** @throws INVALID_ARGUMENT where it isn't a record, UNKNOWN_NAME where a name isn't known */
export function checkOptions(options: object, known: readonly string[], who: string): void {
  if (typeof options !== "object" || (options as unknown) === null)
    fail("INVALID_ARGUMENT", `${who}: expected options { ${known.join(", ")} }, got ${kindOf(options)}`);
  for (const name of Object.keys(options))
    if (!known.includes(name))
      fail("UNKNOWN_NAME", `${who}: expected options among ${known.join(", ")}, got ${name}`);
}
