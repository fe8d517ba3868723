// What the laws make of backends that are broken on purpose: a line for each, and which kills count.
import { conformance } from "@recurra/conformance";
import type { Kill } from "@recurra/conformance/mutants";
import type { Backend } from "@recurra/core";

const sizes = ["small", "large"] as const;

/** A mutant with the laws that caught it; it has survived unless it was caught at both sizes. */
export function lineOf(kill: Kill): string {
  const survived = sizes.filter((size) => kill[size] === undefined);
  const name = `${kill.mutant}: ${kill.what}`;
  if (survived.length > 0) return `SURVIVED  ${name} (at ${survived.join(" and ")} sizes)`;
  return `killed    ${name} (${[...new Set(sizes.map((size) => kill[size]?.law))].join(" | ")})`;
}

export interface FalseAlarm {
  readonly failure: string;
  /** The mutants that only seem to be killed. */
  readonly mutants: readonly string[];
}

/** A law that fails on the unbroken backend too has caught nothing: tries each that killed. */
export async function falseAlarms(
  kills: readonly Kill[],
  open: () => Backend | Promise<Backend>,
): Promise<FalseAlarm[]> {
  const alarms: FalseAlarm[] = [];
  for (const size of sizes) {
    for (const law of conformance({ open, sizes: size, variants: false })) {
      const killed = kills.filter((kill) => kill[size]?.law === law.name);
      if (killed.length === 0) continue;
      const { passed, failure = law.name } = await law.run();
      if (!passed) alarms.push({ failure, mutants: killed.map(({ mutant }) => mutant) });
    }
  }
  return alarms;
}
