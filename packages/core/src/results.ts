/** What a call reads back when its program has run, and what it makes of it. */
import { lastRow, type Call } from "./call.ts";
import type { Execution, Place } from "./execution.ts";
import type { Node, StateNode } from "./expr.ts";
import type { Lane } from "./lane.ts";
import { pickRows, sizeOf, swapped, type Tensor } from "./tensor.ts";

/** A tensor to be read, under its name. */
export interface Wanted {
  readonly name: string;
  readonly shape: readonly number[];
  readonly place: Place;
  /** How many rows are read. */
  readonly rows: number;
  /** Which of them makes each row of the tensor; absent where they follow each other as they should. */
  readonly rowOf?: ((row: number) => number) | undefined;
}

/** A result with a row a step, or a row a sequence; `last`: only that at each row's last step. */
export function wantOutput(execution: Execution, call: Call, name: string, node: Node, last = false): Wanted {
  const { steps, batch, lengths, batchFirst } = call;
  const place = execution.output(name);
  const { width } = node;
  if (node.domain === "batch") return { name, shape: [batch, width], place, rows: batch };
  if (last) {
    // Where no row is shorter, what comes before isn't read.
    const before = (lengths ? 0 : Math.max(0, steps - 1)) * batch;
    return {
      name,
      shape: [batch, width],
      place: { ...place, offset: place.offset + before * place.stride },
      rows: steps * batch - before,
      rowOf: (b) => lastRow(call, b) - before,
    };
  }
  return {
    name,
    shape: batchFirst ? [batch, steps, width] : [steps, batch, width],
    place,
    rows: steps * batch,
    rowOf: batchFirst ? swapped(steps, batch) : undefined,
  };
}

/** States as they are now. */
export const wantStates = (
  execution: Execution,
  states: Iterable<StateNode>,
  prefix = "",
): readonly Wanted[] =>
  [...states].map(({ name, width }) => {
    const rows = execution.batch;
    return { name, shape: [rows, width], place: execution.state(prefix + name), rows };
  });

/** Tensors by name, of every group. */
type Found<G extends string> = Readonly<Record<G, Record<string, Tensor>>>;

/** Read everything, at once or later, and go on with it. */
export function collect<G extends string, R>(
  lane: Lane,
  groups: Readonly<Record<G, readonly Wanted[]>>,
  then: (found: Found<G>) => R,
): R | Promise<R> {
  const reads = new Map<Wanted, Place & { readonly into: Float32Array }>();
  const all = Object.entries<readonly Wanted[]>(groups);
  for (const [, wanted] of all)
    for (const w of wanted) reads.set(w, { ...w.place, into: new Float32Array(w.rows * w.place.stride) });
  const tensorOf = (w: Wanted): Tensor => {
    const { into, ...columns } = reads.get(w) as Place & { readonly into: Float32Array };
    const straight = !w.rowOf && columns.width === columns.stride;
    const { shape } = w;
    return {
      shape,
      data: straight ? into : pickRows(into, columns, new Float32Array(sizeOf(shape)), w.rowOf),
    };
  };
  return lane.read(
    [...reads.values()],
    () =>
      then(
        Object.fromEntries(
          all.map(([group, wanted]) => [group, Object.fromEntries(wanted.map((w) => [w.name, tensorOf(w)]))]),
        ) as Found<G>,
      ),
    undefined,
  );
}
