/** Checks of numbers that needn't be whole. */
import { check } from "@recurra/core/internal";

/** A finite number within limits. @throws INVALID_ARGUMENT */
export function checkNumber(value: unknown, who: string, least = 0, most = Infinity): void {
  const ok = typeof value === "number" && value >= least && value <= most && value < Infinity;
  check(ok, who, `a number from ${least}${most < Infinity ? ` to ${most}` : ""}`, value);
}
