/**
 * Where threads must meet: before a launch that touches what another thread has written, or overwrites what another has yet to read,
 * since they last met. Two launches get along where they share a buffer out in the same way.
 */
import type { Bound } from "../launch.ts";
import { accesses, type Way } from "./share.ts";

/** A launch in its ways, one for each place that a state's pair may be in. */
export interface Shared {
  readonly pair: readonly [Bound, Bound];
  readonly way: Way;
}

/** Turns of a loop that are looked at: neighbours' slots, and both places of a pair. */
const TURNS = 4;
/** Read by everybody, whoever wrote it. */
const ALL = "all";

interface Touch {
  readonly key: string;
  readonly pattern: string;
  readonly write: boolean;
}

function touches(
  bound: Bound,
  way: Way,
  slot: (block: number, mask: number, shift: number) => number,
): Touch[] {
  return accesses(bound).map(({ operand, write, rowwise, columnwise }) => {
    const { part, block = 0, mask } = operand;
    const pattern =
      way.kind === "one"
        ? "one"
        : way.kind === "rows"
          ? rowwise && !part!.repeatRow ? "rows" : ALL
          : columnwise ? `columns ${way.unit} ${part!.column % way.unit}` : ALL; // prettier-ignore
    return { key: `${block} ${slot(block, mask, part!.shift)}`, pattern, write };
  });
}

/** Before which launches they must meet; the last one: at the end of a loop's turn. */
export function meetings(launches: readonly Shared[], loop: boolean, reverse: boolean): boolean[] {
  const before = launches.map(() => false);
  before.push(false);
  // Places that recur, and steps that look at each other's: any may be any.
  const shifted = new Set(
    launches.flatMap(({ pair }) =>
      pair.flatMap((bound) =>
        accesses(bound).flatMap(({ operand: { part, block, mask } }) =>
          mask > 0 && part!.shift !== 0 ? [block] : [],
        ),
      ),
    ),
  );
  let seen = new Map<string, Touch[]>();
  for (let turn = 0; turn < (loop ? TURNS : 1); turn++) {
    const slot = (block: number, mask: number, shift: number): number =>
      !loop || shifted.has(block) ? 0 : ((reverse ? 64 - turn : 64 + turn) + shift) & mask;
    launches.forEach(({ pair, way }, i) => {
      const now = touches(pair[turn % 2 === 0 ? 0 : 1], way, slot);
      const at = i === 0 ? launches.length : i;
      const clash = now.some(({ key, pattern, write }) =>
        seen.get(key)?.some((then) => (write || then.write) && (pattern === ALL || then.pattern !== pattern)),
      );
      if (clash) before[at] = true;
      if (before[at] && (i > 0 || turn > 0)) seen = new Map();
      for (const touch of now) seen.set(touch.key, [...(seen.get(touch.key) ?? []), touch]);
    });
  }
  return before;
}
