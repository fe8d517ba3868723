/**
 * Where values live: which of them need a buffer, for how many steps, and beside which others; and where a kernel finds them.
 */
import type { BufferSpec, Operand } from "../backend.ts";
import type { Loop } from "../graph.ts";
import { widthOf } from "./layout.ts";
import { fuses } from "./levels.ts";
import { kindOf, sectionOf } from "./place.ts";
import { readersOf, type Value, type Values } from "./value.ts";

export interface Homes {
  /** Those asked for so far. */
  readonly buffers: readonly BufferSpec[];
  /** Where a kernel in `loop` finds v. */
  read(v: Value, loop: Loop | undefined): Operand;
  /** Everywhere that v is written to, its home first. */
  destinations(v: Value): Operand[];
  /** Half of a state's pair. */
  stateOf(state: Value, pair: "current" | "next"): Operand;
  /** The state at every step, where that is kept. */
  historyOf(state: Value): Operand | undefined;
}

/** From the shortest to the longest. */
const slotOrder = [1, "chunk", "steps", "steps+1"] as const;

/** What kernels compute. */
const labelOf = (list: readonly Value[]): string => [...new Set(list.map((v) => v.fn ?? v.op))].join(" ");

/** @param names those of the roots */
export function homesOf(values: Values, names: readonly string[]): Homes {
  const { all, next, roots } = values;
  const readers = readersOf(values);
  const buffers: BufferSpec[] = [];
  const numbers = new Map<unknown, number>();
  /** An operand in the buffer of something, which is made when it is first asked for; all of it, but for `more`. */
  const inside = (
    of: unknown,
    role: BufferSpec["role"],
    name: string,
    rows: BufferSpec["rows"],
    width: number,
    more?: Partial<Operand>,
    slots: BufferSpec["slots"] = 1,
    data?: readonly number[],
  ): Operand => {
    const buffer =
      numbers.get(of) ?? buffers.push({ name, role, rows, width, slots, ...(data && { data }) }) - 1;
    numbers.set(of, buffer);
    return { buffer, column: 0, width, row: 0, repeatRow: false, repeatColumn: false, shift: 0, ...more };
  };

  /** What reads v, or slices of it. */
  const readsOf = (v: Value): readonly Value[] =>
    readers(v).flatMap((r) => (r.op === "slice" ? readsOf(r) : r));

  /** Whether v is a next state that is kept at every step, because something outside the loop reads the state. */
  const isHistory = ({ state }: Value): boolean =>
    state !== undefined && (roots.includes(state) || readsOf(state).some((r) => r.loop !== state.loop));

  /** What is read from memory by anything but its own kernel, a concatenation that it is written into, or the loop that carries it. */
  const kept = new Set(
    all.filter(
      (v) =>
        v.op === "concat" ||
        roots.includes(v) ||
        isHistory(v) ||
        readsOf(v).some(
          (r) =>
            r.op !== "concat" && !(fuses(v, r) && v.level === r.level) && !(v.state && r.loop === v.loop),
        ),
    ),
  );

  /** How long v is kept, in `slotOrder`. */
  const slotsOf = (v: Value): number => {
    if (v.domain !== "sequence") return 0;
    if (isHistory(v)) return 3;
    const seen = [...readsOf(v), ...(v.op === "concat" ? v.args : [])];
    const elsewhere = (r: Value): boolean => sectionOf(r.at) !== sectionOf(v.at);
    if (roots.includes(v) || kindOf(v.at) === "whole" || seen.some(elsewhere)) return 2;
    return v.loop && seen.every((r) => r.at === v.at) ? 0 : 1;
  };

  /** Where v is kept: as the storage says that holds it, or with its group. */
  const home = (v: Value): Operand => {
    const { op, width, rows, storage, row = 0, group = [v], start = 0 } = v;
    if (storage) {
      const role = op === "parameter" ? op : "output";
      return inside(storage, role, storage.name, storage.rows, storage.width, { row });
    }
    const slots = slotOrder[Math.max(...group.map(slotsOf)) as 0 | 1 | 2 | 3];
    const root = roots.findIndex((r) => group.includes(r));
    const role = root >= 0 ? "output" : slots === "steps+1" ? "history" : "value";
    // A history has a slot more: the state before step t lies one slot before the state after it, in the loop's direction.
    const shift = slots === "steps+1" && !v.loop?.reverse ? 1 : 0;
    const name = names[root] ?? labelOf(group);
    return inside(group[0], role, name, v.domain === "one" ? rows : "batch", widthOf(group), { column: start, width, shift }, slots);
  }; // prettier-ignore

  const stateOf: Homes["stateOf"] = (state, pair) =>
    inside(state, "state", state.name as string, "batch", state.width, { pair });

  const historyOf: Homes["historyOf"] = (state) => {
    const after = next.get(state) as Value;
    return isHistory(after) ? { ...home(after), shift: state.loop?.reverse ? 1 : 0 } : undefined;
  };

  const read: Homes["read"] = (v, loop) => {
    const { op, width, name = "", value, start = 0, state } = v;
    if (value !== undefined)
      return inside(v, "constant", `${value}`, 1, 1, { repeatRow: true, repeatColumn: true }, 1, [value]);
    if (op === "input") return inside(v, op, name, "batch", width, {}, v.domain === "sequence" ? "steps" : 1);
    if (op === "state") return v.loop === loop ? stateOf(v, "current") : (historyOf(v) as Operand);
    if (op === "slice") {
      const whole = read(v.args[0] as Value, loop);
      return { ...whole, column: whole.column + start, width };
    }
    return state && !kept.has(v) ? stateOf(state, "next") : home(v);
  };

  const destinations: Homes["destinations"] = (v) => {
    const found = kept.has(v) ? [home(v)] : [];
    if (v.state) found.push(stateOf(v.state, "next"));
    for (const concat of new Set(readers(v)))
      concat.args.forEach((a, i) => {
        if (a !== v || concat.op !== "concat") return;
        const whole = home(concat);
        const column = whole.column + widthOf(concat.args.slice(0, i));
        found.push({ ...whole, column, width: v.width });
      });
    return found;
  };

  return { buffers, read, destinations, stateOf, historyOf };
}
