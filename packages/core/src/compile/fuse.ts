/** Fuse: pointwise values that meet become one kernel with several results. */
import type { Argument, FunctionName, Instruction, Launch, Operand } from "../backend.ts";
import { labelOf } from "./homes.ts";
import type { Value } from "./value.ts";

/**
 * @param fused the kernel's values, each after those that it reads
 * @param destinations where a value is written to; nowhere, where only the kernel itself needs it
 * @param read where a value from outside the kernel lies
 */
export function fuseMaps(
  fused: readonly Value[],
  destinations: (v: Value) => readonly Operand[],
  read: (v: Value) => Operand,
  rows: Launch["rows"],
): Launch {
  const results = new Map(fused.map((v, i) => [v, i]));
  const inputs = new Map<string, Operand>();
  const argument = (v: Value): Argument => {
    if (v.value !== undefined) return { constant: v.value };
    const result = results.get(v);
    if (result !== undefined) return { result };
    const operand = read(v);
    const key = JSON.stringify(operand);
    inputs.set(key, operand);
    return { input: [...inputs.keys()].indexOf(key) };
  };
  const instructions = fused.map(({ fn, args }): Instruction => ({ fn: fn as FunctionName, args: args.map(argument) }));
  const written = fused.flatMap((v, i) => destinations(v).map((to) => ({ v, i, to })));
  return {
    kernel: { op: "map", width: fused[0]?.width as number, inputs: inputs.size, instructions, outputs: written.map((w) => w.i) },
    rows,
    inputs: [...inputs.values()],
    outputs: written.map((w) => w.to),
    label: labelOf(written.map((w) => w.v)),
  };
} // prettier-ignore
