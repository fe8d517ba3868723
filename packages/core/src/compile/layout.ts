/**
 * Stack: values that lie side by side in one buffer, so that one gemm writes or reads them together. Gates are row blocks of
 * their matrices and columns of their results.
 */
import type { ParameterNode } from "../graph.ts";
import { isLeaf, type Value } from "./value.ts";

export interface Column {
  /** All that share the buffer, in order. */
  readonly group: readonly Value[];
  readonly index: number;
}

export class Layout {
  readonly #columns = new Map<Value, Column>();
  /** @param alone values that must have a buffer of their own */
  constructor(readonly alone: ReadonlySet<Value>) {}

  column(v: Value): Column {
    let column = this.#columns.get(v);
    if (!column) this.#columns.set(v, (column = { group: [v], index: 0 }));
    return column;
  }

  /** Put these side by side as far as none of them has its place already. */
  request(list: readonly Value[]): void {
    let run: Value[] = [];
    const close = (): void => {
      const group = run;
      if (group.length > 1) group.forEach((v, index) => this.#columns.set(v, { group, index }));
      run = [];
    };
    for (const v of list) {
      const free =
        !this.#columns.has(v) &&
        !isLeaf(v) &&
        v.op !== "slice" &&
        v.op !== "concat" &&
        !this.alone.has(v) &&
        !run.includes(v);
      if (!free || (run[0] && (run[0].domain !== v.domain || run[0].at !== v.at))) close();
      if (free) run.push(v);
    }
    close();
  }

  /** Whether `b` follows `a` in the same buffer. */
  follows(a: Value, b: Value): boolean {
    if (a.op === "slice" && b.op === "slice") return a.args[0] === b.args[0] && b.start === a.start + a.width;
    const [ca, cb] = [this.#columns.get(a), this.#columns.get(b)];
    return ca !== undefined && cb !== undefined && ca.group === cb.group && cb.index === ca.index + 1;
  }
}

/** The parameter that a value stands for. */
export const parameterOf = (v: Value): ParameterNode | undefined =>
  v.leaf?.op === "parameter" ? v.leaf : undefined;

/** Whether parameter `b` lies right behind `a` in the same storage. */
export function stacked(a: Value, b: Value): boolean {
  const [pa, pb] = [parameterOf(a), parameterOf(b)];
  return pa !== undefined && pb !== undefined && pa.storage === pb.storage && pb.row === pa.row + pa.rows;
}

/** Cut a list where `together` doesn't hold between neighbours. */
export function cut<T>(list: readonly T[], together: (a: T, b: T) => boolean): T[][] {
  const runs: T[][] = [];
  for (const item of list) {
    const run = runs[runs.length - 1];
    const before = run?.[run.length - 1];
    if (run && before !== undefined && together(before, item)) run.push(item);
    else runs.push([item]);
  }
  return runs;
}
