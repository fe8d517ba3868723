/** Fuse: pointwise values that meet become one kernel with several results, split where the backend's limits say. */
import type { Argument, Instruction, Launch, Limits, Operand } from "../backend.ts";
import { fail } from "../errors.ts";
import type { Value } from "./value.ts";

export interface Result {
  readonly value: Value;
  /** Everywhere that it is written to; none where only the kernel itself needs it. */
  readonly destinations: readonly Operand[];
  /** The destination that later kernels read it from. */
  readonly home: Operand | undefined;
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
  limits: Limits,
): Launch[] {
  const members = new Map(results.map((r) => [r.value, r]));
  const written = results.filter((r) => r.destinations.length > 0);
  const outputs = written.flatMap((r) =>
    r.destinations.map((to) => ({ value: r.value, to, home: to === r.home })),
  );

  /** What the kernel with these outputs needs; results that an earlier kernel wrote are read back. */
  const cone = (
    wanted: readonly Value[],
    stored: ReadonlySet<Value>,
  ): { inside: Set<Value>; inputs: Set<Value> } => {
    const inside = new Set<Value>();
    const inputs = new Set<Value>();
    const visit = (v: Value): void => {
      if (inside.has(v)) return;
      if (!members.has(v) || (stored.has(v) && !wanted.includes(v))) {
        if (v.op !== "constant") inputs.add(v);
        return;
      }
      inside.add(v);
      v.args.forEach(visit);
    };
    wanted.forEach(visit);
    return { inside, inputs };
  };

  const launches: Launch[] = [];
  const stored = new Set<Value>();
  let rest = outputs;
  while (rest.length > 0) {
    // As many outputs as the limits allow, in order.
    let count = Math.min(rest.length, limits.mapOutputs);
    while (count > 1 && cone(rest.slice(0, count).map((o) => o.value), stored).inputs.size > limits.mapInputs) count--; // prettier-ignore
    const now = rest.slice(0, count);
    rest = rest.slice(count);
    const { inside, inputs } = cone(now.map((o) => o.value), stored); // prettier-ignore
    if (inputs.size > limits.mapInputs)
      fail(
        "UNSUPPORTED",
        `a value is computed from ${inputs.size} others at once, and the backend's kernels take ${limits.mapInputs}; name intermediate results by returning them from the step`,
      );

    const from: Operand[] = [];
    const number = new Map<string, number>();
    const instructions: Instruction[] = [];
    const index = new Map<Value, number>();
    const argument = (a: Value): Argument => {
      if (a.leaf?.op === "constant") return { constant: a.leaf.value };
      const result = index.get(a);
      if (result !== undefined) return { result };
      const operand = operandOf(a);
      const key = JSON.stringify(operand);
      let input = number.get(key);
      if (input === undefined) number.set(key, (input = from.push(operand) - 1));
      return { input };
    };
    for (const { value } of results)
      if (inside.has(value)) {
        const args = value.args.map(argument);
        index.set(value, instructions.push({ fn: value.fn ?? "copy", args }) - 1);
      }
    launches.push({
      kernel: {
        op: "map",
        width,
        inputs: from.length,
        instructions,
        outputs: now.map((o) => index.get(o.value) as number),
      },
      rows,
      inputs: from,
      outputs: now.map((o) => o.to),
      label: [...new Set(now.map((o) => o.value.label))].join(" "),
    });
    for (const o of now) if (o.home) stored.add(o.value);
  }
  return launches;
}
