/**
 * Where values live: which of them need a buffer, for how many steps, and beside which others; and where a kernel finds them.
 */
import type { BufferSpec, Operand } from "../backend.ts";
import type { Loop, ParameterNode } from "../graph.ts";
import type { Layout } from "./layout.ts";
import { fuses } from "./levels.ts";
import { kindOf, sectionOf } from "./place.ts";
import { isLeaf, type Value, type Values } from "./value.ts";

export interface Root {
  readonly name: string;
  readonly value: Value;
  /** The parameter whose gradient it is. */
  readonly gradientOf: ParameterNode | undefined;
}

const slotOrder = [1, "chunk", "steps", "steps+1"] as const;
type Slots = (typeof slotOrder)[number];

const loopOf = (v: Value): Loop | undefined => (v.leaf?.op === "state" ? v.leaf.loop : undefined);

const operand = (buffer: number, width: number, more: Partial<Operand> = {}): Operand => ({
  buffer, column: 0, width, row: 0, repeatRow: false, repeatColumn: false, shift: 0, ...more,
}); // prettier-ignore

export class Homes {
  readonly buffers: BufferSpec[] = [];
  readonly inputs: Record<string, number> = {};
  readonly parameters: Record<string, number> = {};
  readonly #constants: Record<string, number> = {};
  readonly #states = new Map<Value, number>();
  readonly #homes = new Map<Value, Operand>();
  readonly #readers: ReadonlyMap<Value, readonly Value[]>;
  readonly #stateOf: ReadonlyMap<Value, Value>;
  readonly #rootValues: ReadonlySet<Value>;
  readonly #gradients: ReadonlyMap<Value, ParameterNode>;
  /** Next states that are kept at every step, because something outside the loop reads the state. */
  readonly #histories: ReadonlySet<Value>;

  constructor(
    readonly values: Values,
    readonly roots: readonly Root[],
    readonly levels: ReadonlyMap<Value, number>,
    readonly layout: Layout,
  ) {
    this.#readers = readersThroughSlices(values);
    this.#stateOf = new Map([...values.next].map(([state, next]) => [next, state]));
    this.#rootValues = new Set(roots.map((r) => r.value));
    this.#gradients = gradientsOf(roots);
    const outsideLoop = (state: Value): boolean =>
      this.#rootValues.has(state) || this.#readersOf(state).some((r) => r.loop !== loopOf(state));
    this.#histories = new Set(
      [...values.next].flatMap(([state, next]) => (outsideLoop(state) ? [next] : [])),
    );
  }

  #readersOf(v: Value): readonly Value[] {
    return this.#readers.get(v) ?? [];
  }

  #add(spec: BufferSpec): number {
    return this.buffers.push(spec) - 1;
  }

  #shared(table: Record<string, number>, name: string, spec: Omit<BufferSpec, "name">): number {
    return (table[name] ??= this.#add({ name, ...spec }));
  }

  /** Whether anything reads v from memory, other than its own kernel, a concatenation that it is written into, or the loop that carries it. */
  #needsHome(v: Value): boolean {
    if (this.#rootValues.has(v) || this.#histories.has(v) || v.op === "concat") return true;
    return this.#readersOf(v).some((r) => {
      const sameKernel = fuses(v, r) && this.levels.get(v) === this.levels.get(r);
      return (
        !sameKernel && !(v.op === "map" && r.op === "concat") && !(this.#stateOf.has(v) && r.loop === v.loop)
      );
    });
  }

  #slotsOf(v: Value): Slots {
    if (v.domain !== "sequence") return 1;
    if (this.#histories.has(v)) return "steps+1";
    const section = sectionOf(v.at);
    const seen = [...this.#readersOf(v), ...(v.op === "concat" ? v.args.filter((a) => !isLeaf(a)) : [])];
    if (
      this.#rootValues.has(v) ||
      kindOf(section) === "whole" ||
      seen.some((r) => sectionOf(r.at) !== section)
    )
      return "steps";
    return v.loop && seen.every((r) => r.at === v.at) ? 1 : "chunk";
  }

  #home(v: Value): Operand {
    const gradientOf = this.#gradients.get(v);
    if (!this.#homes.has(v)) {
      if (gradientOf) this.#settleGradient(v, gradientOf);
      else this.#settle(this.layout.column(v).group);
    }
    return this.#homes.get(v) as Operand;
  }

  /** Gradients lie as their parameters do. */
  #settleGradient(v: Value, { storage, row }: ParameterNode): void {
    const name = `d.${storage.name}`;
    const known = this.buffers.findIndex((b) => b.name === name);
    const buffer =
      known >= 0
        ? known
        : this.#add({ name, role: "output", rows: storage.rows, width: storage.width, slots: 1 });
    this.#homes.set(v, operand(buffer, v.width, { row }));
  }

  #settle(group: readonly Value[]): void {
    const [v] = group as [Value];
    const slots = slotOrder[Math.max(...group.map((g) => slotOrder.indexOf(this.#slotsOf(g))))] as Slots;
    const buffer = this.#add({
      name: this.roots.find((r) => group.includes(r.value))?.name ?? group.map((g) => g.label).join(" "),
      role: group.some((g) => this.#rootValues.has(g)) ? "output" : slots === "steps+1" ? "history" : "value",
      rows: v.domain === "one" ? v.rows : "batch",
      width: group.reduce((sum, g) => sum + g.width, 0),
      slots,
    });
    // A history has a slot more: the state before step t lies one slot before the state after it, in the loop's direction.
    const shift = slots === "steps+1" && !v.loop?.reverse ? 1 : 0;
    let column = 0;
    for (const g of group) {
      this.#homes.set(g, operand(buffer, g.width, { column, shift }));
      column += g.width;
    }
  }

  stateBuffer(state: Value): number {
    let buffer = this.#states.get(state);
    if (buffer === undefined) {
      buffer = this.#add({ name: state.label, role: "state", rows: "batch", width: state.width, slots: 1 });
      this.#states.set(state, buffer);
    }
    return buffer;
  }

  /** The state at every step, where that is kept. */
  historyOf(state: Value): Operand | undefined {
    const next = this.values.next.get(state) as Value;
    return this.#histories.has(next)
      ? { ...this.#home(next), shift: loopOf(state)?.reverse ? 1 : 0 }
      : undefined;
  }

  /** Where a kernel in `loop` finds v. */
  read(v: Value, loop: Loop | undefined): Operand {
    const { leaf, width } = v;
    switch (leaf?.op) {
      case "parameter": {
        const { name, rows, width: columns } = leaf.storage;
        return operand(
          this.#shared(this.parameters, name, { role: "parameter", rows, width: columns, slots: 1 }),
          width,
          { row: leaf.row },
        );
      }
      case "constant": {
        const buffer = this.#shared(this.#constants, v.label, {
          role: "constant",
          rows: 1,
          width: 1,
          slots: 1,
          data: [leaf.value],
        });
        return operand(buffer, 1, { repeatRow: true, repeatColumn: true });
      }
      case "input":
        return operand(
          this.#shared(this.inputs, leaf.name, {
            role: "input",
            rows: "batch",
            width,
            slots: v.domain === "sequence" ? "steps" : 1,
          }),
          width,
        );
      case "state":
        if (leaf.loop === loop) return operand(this.stateBuffer(v), width, { pair: "current" });
        return this.historyOf(v) as Operand;
      case undefined:
    }
    if (v.op === "slice") {
      const whole = this.read(v.args[0] as Value, loop);
      return { ...whole, column: whole.column + v.start, width };
    }
    const state = this.#stateOf.get(v);
    return state && !this.#needsHome(v) ? this.#nextOf(state) : this.#home(v);
  }

  #nextOf(state: Value): Operand {
    return operand(this.stateBuffer(state), state.width, { pair: "next" });
  }

  /** Everywhere that v is written to, its home first. */
  destinations(v: Value): Operand[] {
    const found: Operand[] = this.#needsHome(v) ? [this.#home(v)] : [];
    const state = this.#stateOf.get(v);
    if (state) found.push(this.#nextOf(state));
    if (v.op === "map")
      for (const r of new Set(this.#readersOf(v))) if (r.op === "concat") found.push(...this.slicesOf(r, v));
    return found;
  }

  /** The columns of a concatenation that hold `part`. */
  slicesOf(concat: Value, part: Value): Operand[] {
    const whole = this.#home(concat);
    let column = whole.column;
    return concat.args.flatMap((a) => {
      const slice = { ...whole, column, width: a.width };
      column += a.width;
      return a === part ? [slice] : [];
    });
  }
}

/** Root values that are gradients, with their parameters. */
export const gradientsOf = (roots: readonly Root[]): ReadonlyMap<Value, ParameterNode> =>
  new Map(roots.flatMap((r) => (r.gradientOf ? [[r.value, r.gradientOf] as const] : [])));

function readersThroughSlices(values: Values): Map<Value, Value[]> {
  const direct = values.consumers();
  const through = (v: Value): Value[] =>
    (direct.get(v) ?? []).flatMap((r) => (r.op === "slice" ? through(r) : [r]));
  return new Map(values.all.map((v) => [v, through(v)]));
}
