/** What a call reads back when its program has run, and what it makes of it. */
import type { Call } from "./call.ts";
import type { Execution, Place } from "./execution.ts";
import type { Node, StateNode } from "./expr.ts";
import type { Lane, Read } from "./lane.ts";
import { lastRow } from "./ragged.ts";
import { pickRows, sizeOf, swapped, type Tensor } from "./tensor.ts";

/** A tensor to be read, under its name. */
export interface Wanted extends Read {
  readonly place: Place;
  readonly name: string;
  readonly shape: readonly number[];
  /** Which of the rows that are read makes each row of the tensor; absent where they follow each other as they should. */
  readonly rowOf: ((row: number) => number) | undefined;
}

/** `rows`: how many are read. */
export const want = (
  name: string,
  place: Place,
  rows: number,
  shape: readonly number[],
  rowOf?: (row: number) => number,
): Wanted => ({ name, place, shape, rowOf, into: new Float32Array(rows * place.stride) });

/** A result with a row a step, or a row a sequence; `last`: only that at each row's last step. */
export function wantOutput(execution: Execution, call: Call, name: string, node: Node, last = false): Wanted {
  const { steps, batch, lengths, batchFirst } = call;
  const place = execution.output(name);
  const { width } = node;
  const all = steps * batch;
  if (node.domain === "batch") return want(name, place, batch, [batch, width]);
  if (!last)
    return batchFirst
      ? want(name, place, all, [batch, steps, width], swapped(steps, batch))
      : want(name, place, all, [steps, batch, width]);
  // Where no row is shorter, what comes before isn't read.
  const before = lengths ? 0 : Math.max(0, all - batch);
  const offset = place.offset + before * place.stride;
  return want(name, { ...place, offset }, all - before, [batch, width], (b) => lastRow(call, b) - before);
}

/** States as they are now. */
export const wantStates = (execution: Execution, states: Iterable<StateNode>, prefix = ""): Wanted[] =>
  [...states].map(({ name, width }) =>
    want(name, execution.state(prefix + name), execution.batch, [execution.batch, width]),
  );

const tensorOf = (wanted: Wanted): Tensor => {
  const { place, into, shape, rowOf } = wanted;
  const straight = !rowOf && place.width === place.stride;
  return { shape, data: straight ? into : pickRows(into, place, new Float32Array(sizeOf(shape)), rowOf) };
};

/** Tensors by name, of every group. */
type Found<G extends string> = Readonly<Record<G, Record<string, Tensor>>>;

/** Read everything, at once or later, and go on with it. */
export const collect = <G extends string, R>(
  lane: Lane,
  groups: Readonly<Record<G, readonly Wanted[]>>,
  then: (found: Found<G>) => R,
): R | Promise<R> => {
  const all: Wanted[] = [];
  for (const group in groups) all.push(...groups[group]);
  return lane.read(
    all,
    () => {
      const found = {} as Record<G, Record<string, Tensor>>;
      for (const group in groups) {
        const tensors: Record<string, Tensor> = (found[group] = {});
        for (const wanted of groups[group]) tensors[wanted.name] = tensorOf(wanted);
      }
      return then(found);
    },
    undefined,
  );
};
