/** What a call reads back when its program has run, and what it makes of it. */
import type { Engine } from "./engine.ts";
import type { Execution, Place } from "./execution.ts";
import type { Tensor } from "./tensor.ts";

export interface Wanted {
  readonly name: string;
  readonly read: Place;
  readonly shape: (data: Float32Array) => Tensor;
}

export type Found = ReadonlyMap<string, Tensor>;

/** A program that has been run. */
export interface Job<Result> {
  readonly wanted: readonly Wanted[];
  finish(found: Found): Result;
}

export async function collect<Result>(engine: Engine, { wanted, finish }: Job<Result>): Promise<Result> {
  const found = new Map<string, Tensor>();
  for (const { name, read, shape } of wanted) found.set(name, shape(await engine.read(read)));
  return finish(found);
}

export const collectSync = <Result>(engine: Engine, { wanted, finish }: Job<Result>): Result =>
  finish(new Map(wanted.map(({ name, read, shape }) => [name, shape(engine.readSync(read))])));

/** A state as it is now, under a name of its own among the results. */
export function wantState(name: string, execution: Execution, state: string, width: number): Wanted {
  const shape = [execution.batch, width];
  const read = {
    buffer: execution.stateBuffer(state),
    offset: 0,
    rows: execution.batch,
    width,
    stride: width,
    column: 0,
  };
  return { name, read, shape: (data) => ({ shape, data }) };
}

/** Results whose names begin so, by the rest of their names. */
export const pick = (found: Found, prefix: string): Record<string, Tensor> =>
  Object.fromEntries(
    [...found].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  );

/** The network's outputs, and the first of them. */
export function outputsOf(
  { graph }: Engine,
  found: Found,
): { readonly output: Tensor; readonly outputs: Record<string, Tensor> } {
  const outputs = Object.fromEntries(
    [...graph.outputs.keys()].map((name) => [name, found.get(name) as Tensor]),
  );
  return { output: Object.values(outputs)[0] as Tensor, outputs };
}
