/**
 * Where values live: which of them need a buffer, for how many steps, and beside which others; and where a kernel finds them.
 */
import type { BufferSpec, Operand } from "../backend.ts";
import type { Loop } from "../graph.ts";
import { widthOf } from "./layout.ts";
import { fuses } from "./levels.ts";
import { kindOf, sectionOf } from "./place.ts";
import { isLeaf, readersOf, type Value, type Values } from "./value.ts";

export interface Homes {
  /** Those asked for so far. */
  readonly buffers: readonly BufferSpec[];
  /** Where a kernel in `loop` finds v. */
  read(v: Value, loop: Loop | undefined): Operand;
  /** Everywhere that v is written to, its home first. */
  destinations(v: Value): Operand[];
  /** The columns of a concatenation that hold `part`. */
  slicesOf(concat: Value, part: Value): Operand[];
  /** Half of a state's pair. */
  stateOf(state: Value, pair: "current" | "next"): Operand;
  /** The state at every step, where that is kept. */
  historyOf(state: Value): Operand | undefined;
}

/** From the shortest to the longest. */
const slotOrder: readonly BufferSpec["slots"][] = [1, "chunk", "steps", "steps+1"];

const operand = (buffer: number, width: number, more?: Partial<Operand>): Operand => ({
  buffer, column: 0, width, row: 0, repeatRow: false, repeatColumn: false, shift: 0, ...more,
}); // prettier-ignore

/** What kernels compute, for messages. */
export const labelOf = (list: readonly Value[]): string =>
  [...new Set(list.map((v) => v.fn ?? v.op))].join(" ");

/** @param names those of the roots */
export function homesOf(values: Values, names: readonly string[]): Homes {
  const { next, roots } = values;
  const buffers: BufferSpec[] = [];
  const numbers = new Map<unknown, number>();
  /** The buffer of something, made when it is first asked for. */
  const buffer = (
    of: unknown,
    role: BufferSpec["role"],
    name: string,
    rows: BufferSpec["rows"],
    width: number,
    slots: BufferSpec["slots"] = 1,
    data?: readonly number[],
  ): number => {
    const number =
      numbers.get(of) ?? buffers.push({ name, role, rows, width, slots, ...(data && { data }) }) - 1;
    numbers.set(of, number);
    return number;
  };

  const direct = readersOf(values);
  const readers = new Map<Value, readonly Value[]>();
  /** What reads v, or slices of it. */
  const readsOf = (v: Value): readonly Value[] => {
    const known = readers.get(v) ?? direct(v).flatMap((r) => (r.op === "slice" ? readsOf(r) : r));
    readers.set(v, known);
    return known;
  };

  /** Whether v is a next state that is kept at every step, because something outside the loop reads the state. */
  const isHistory = ({ state }: Value): boolean =>
    state !== undefined && (roots.includes(state) || readsOf(state).some((r) => r.loop !== state.loop));

  /** Whether anything reads v from memory, other than its own kernel, a concatenation that it is written into, or the loop that carries it. */
  const isKept = (v: Value): boolean =>
    v.op === "concat" ||
    roots.includes(v) ||
    isHistory(v) ||
    readsOf(v).some(
      (r) =>
        !(fuses(v, r) && v.level === r.level) &&
        !(v.op === "map" && r.op === "concat") &&
        !(v.state && r.loop === v.loop),
    );
  const kept = new Set(values.all.filter(isKept));

  const slotsOf = (v: Value): BufferSpec["slots"] => {
    if (v.domain !== "sequence") return 1;
    if (isHistory(v)) return "steps+1";
    const section = sectionOf(v.at);
    const seen = [...readsOf(v), ...(v.op === "concat" ? v.args.filter((a) => !isLeaf(a)) : [])];
    if (roots.includes(v) || kindOf(v.at) === "whole" || seen.some((r) => sectionOf(r.at) !== section))
      return "steps";
    return v.loop && seen.every((r) => r.at === v.at) ? 1 : "chunk";
  };

  const homes = new Map<Value, Operand>();
  const home = (v: Value): Operand => {
    const known = homes.get(v);
    if (known) return known;
    const { width, gradientOf, group = [v], start = 0 } = v;
    let found: Operand;
    if (gradientOf) {
      // Gradients lie as their parameters do.
      const { storage, row } = gradientOf;
      const name = `d.${storage.name}`;
      found = operand(buffer(name, "output", name, storage.rows, storage.width), width, { row });
    } else {
      const slots = slotOrder[Math.max(...group.map((g) => slotOrder.indexOf(slotsOf(g))))] ?? 1;
      const root = roots.findIndex((r) => group.includes(r));
      const role = root >= 0 ? "output" : slots === "steps+1" ? "history" : "value";
      const rows = v.domain === "one" ? v.rows : "batch";
      found = operand(
        buffer(group[0], role, names[root] ?? labelOf(group), rows, widthOf(group), slots),
        width,
        // A history has a slot more: the state before step t lies one slot before the state after it, in the loop's direction.
        { column: start, shift: slots === "steps+1" && !v.loop?.reverse ? 1 : 0 },
      );
    }
    homes.set(v, found);
    return found;
  };

  const stateOf: Homes["stateOf"] = (state, pair) =>
    operand(buffer(state, "state", state.name as string, "batch", state.width), state.width, { pair });

  const historyOf: Homes["historyOf"] = (state) => {
    const after = next.get(state) as Value;
    return isHistory(after) ? { ...home(after), shift: state.loop?.reverse ? 1 : 0 } : undefined;
  };

  const read: Homes["read"] = (v, loop) => {
    const { op, width, name = "", storage, row = 0, value, start = 0, state } = v;
    if (storage)
      return operand(buffer(storage, "parameter", storage.name, storage.rows, storage.width), width, { row });
    if (value !== undefined)
      return operand(buffer(v, "constant", `${value}`, 1, 1, 1, [value]), 1, {
        repeatRow: true,
        repeatColumn: true,
      });
    if (op === "input")
      return operand(buffer(v, op, name, "batch", width, v.domain === "sequence" ? "steps" : 1), width);
    if (op === "state") return v.loop === loop ? stateOf(v, "current") : (historyOf(v) as Operand);
    if (op === "slice") {
      const whole = read(v.args[0] as Value, loop);
      return { ...whole, column: whole.column + start, width };
    }
    return state && !kept.has(v) ? stateOf(state, "next") : home(v);
  };

  const slicesOf: Homes["slicesOf"] = (concat, part) => {
    const whole = home(concat);
    return concat.args.flatMap((a, i) =>
      a === part ? { ...whole, column: whole.column + widthOf(concat.args.slice(0, i)), width: a.width } : [],
    );
  };

  const destinations: Homes["destinations"] = (v) => [
    ...(kept.has(v) ? [home(v)] : []),
    ...(v.state ? [stateOf(v.state, "next")] : []),
    ...(v.op === "map"
      ? [...new Set(readsOf(v))].flatMap((r) => (r.op === "concat" ? slicesOf(r, v) : []))
      : []),
  ];

  return { buffers, read, destinations, slicesOf, stateOf, historyOf };
}
