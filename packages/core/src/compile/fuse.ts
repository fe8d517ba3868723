/** Fuse: pointwise values that meet become one kernel with several results. */
import type { Argument, FunctionName, Instruction, Launch, Operand } from "../backend.ts";
import type { Homes } from "./homes.ts";
import type { Value } from "./value.ts";

/**
 * @param fused the kernel's values, each after those that it reads
 * @param homes where they are written to (nowhere, where only the kernel itself needs one) and others read from
 */
export function fuseMaps(
  fused: readonly Value[],
  { read, destinations }: Homes,
  rows: Launch["rows"],
): Launch {
  const [first] = fused as [Value];
  const results = new Map(fused.map((v, i) => [v, i]));
  const inputs = new Map<string, Operand>();
  const argument = (v: Value): Argument => {
    if (v.value !== undefined) return { constant: v.value };
    const result = results.get(v);
    if (result !== undefined) return { result };
    const operand: Operand = {
      ...read(v, first.loop),
      repeatRow: v.domain === "one" && (first.domain !== "one" || v.rows < first.rows),
      repeatColumn: v.width < first.width,
    };
    const key = JSON.stringify(operand);
    inputs.set(key, operand);
    return { input: [...inputs.keys()].indexOf(key) };
  };
  const instructions = fused.map(({ fn, args }): Instruction => ({
    fn: fn as FunctionName,
    args: args.map(argument),
  }));
  const written = fused.flatMap((v, i) => destinations(v).map((to) => ({ v, i, to })));
  const outputs = written.map((w) => w.i);
  return {
    kernel: { op: "map", width: first.width, inputs: inputs.size, instructions, outputs },
    rows,
    inputs: [...inputs.values()],
    outputs: written.map((w) => w.to),
  };
}
