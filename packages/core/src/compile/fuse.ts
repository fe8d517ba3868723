/** Fuse: pointwise values that meet become one kernel with several results. */
import type { Argument, FunctionName, Instruction, Launch, Operand } from "../backend.ts";
import type { Value } from "./value.ts";

export interface Result {
  readonly value: Value;
  /** Everywhere that it is written to; none where only the kernel itself needs it. */
  readonly destinations: readonly Operand[];
}

/**
 * @param results the kernel's values, each after those that it reads
 * @param operandOf where a value from outside the kernel lies
 */
export function fuseMaps(
  results: readonly Result[],
  operandOf: (v: Value) => Operand,
  width: number,
  rows: Launch["rows"],
): Launch {
  const inputs: Operand[] = [];
  const number = new Map<string, number>();
  const index = new Map(results.map((r, i) => [r.value, i]));
  const argument = (a: Value): Argument => {
    if (a.leaf?.op === "constant") return { constant: a.leaf.value };
    const result = index.get(a);
    if (result !== undefined) return { result };
    const operand = operandOf(a);
    const key = JSON.stringify(operand);
    let input = number.get(key);
    if (input === undefined) number.set(key, (input = inputs.push(operand) - 1));
    return { input };
  };
  const instructions = results.map(({ value }): Instruction => ({
    fn: value.fn as FunctionName,
    args: value.args.map(argument),
  }));
  const written = results.flatMap(({ value, destinations }, i) =>
    destinations.map((to) => ({ value, i, to })),
  );
  return {
    kernel: { op: "map", width, inputs: inputs.length, instructions, outputs: written.map((w) => w.i) },
    rows,
    inputs,
    outputs: written.map((w) => w.to),
    label: [...new Set(written.map((w) => w.value.label))].join(" "),
  };
}
