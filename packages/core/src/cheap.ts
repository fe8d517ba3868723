/** What the adjoint recomputes rather than saves; apart from functions.ts, so that planning a forward pass doesn't bring the meanings along. */
import type { FunctionName } from "./backend.ts";

/** Functions that are cheaper to compute again than to keep for a whole sequence. */
export const cheap: ReadonlySet<FunctionName> = new Set<FunctionName>([
  "copy", "neg", "relu", "abs", "plus", "minus", "times", "over", "max", "min", "less", "lessEqual", "equal", "clamp", "select",
]); // prettier-ignore
