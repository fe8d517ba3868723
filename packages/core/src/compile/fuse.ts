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

interface Output {
  readonly value: Value;
  readonly to: Operand | undefined;
  /** Whether later kernels read the value there. */
  readonly home: boolean;
}

/**
 * @param fused the kernel's values, each after those that it reads
 * @param operandOf where a value from outside the kernel lies
 * @param keep gives a value a home, when kernels must be split at it
 */
export function fuseMaps(
  fused: readonly Result[],
  operandOf: (v: Value) => Operand,
  keep: (v: Value) => Operand,
  width: number,
  rows: Launch["rows"],
  limits: Limits,
): Launch[] {
  const results = splitInputs(fused, limits.mapInputs, keep);
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
    const inputsOf = (wanted: readonly Output[]): number => cone(wanted.map((o) => o.value), stored).inputs.size; // prettier-ignore
    let count = Math.min(rest.length, limits.mapOutputs);
    while (count > 1 && inputsOf(rest.slice(0, count)) > limits.mapInputs) count--;
    let now = rest.slice(0, count);
    if (inputsOf(now) > limits.mapInputs) {
      // Not even one: first, the intermediate result that takes the most inputs off it.
      const ways = [...cone(now.map((o) => o.value), stored).inside] // prettier-ignore
        .filter((v) => members.get(v)?.destinations.length === 0)
        .map((value) => ({ value, count: inputsOf([{ value, to: undefined, home: true }]) }))
        .filter((way) => way.count > 1 && way.count <= limits.mapInputs)
        .sort((a, b) => b.count - a.count);
      const [way] = ways;
      if (!way)
        fail(
          "UNSUPPORTED",
          `${limits.mapInputs} inputs a map: expected a backend whose maps take at least 3, got fewer`,
        );
      now = [{ value: way.value, to: operandOf(way.value), home: true }];
    } else rest = rest.slice(count);
    const { inside } = cone(now.map((o) => o.value), stored); // prettier-ignore

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
      outputs: now.flatMap((o) => o.to ?? []),
      label: [...new Set(now.map((o) => o.value.label))].join(" "),
    });
    for (const o of now) if (o.home) stored.add(o.value);
  }
  return launches;
}

/** Where too much flows into one value, the largest part of it becomes a result that is kept in memory. */
function splitInputs(fused: readonly Result[], limit: number, keep: (v: Value) => Operand): Result[] {
  const results = new Map<Value, Result>();
  const inputs = new Map<Value, readonly Value[]>();
  const inputsOf = (v: Value): readonly Value[] => (results.get(v)?.home ? [v] : (inputs.get(v) ?? [v]));
  for (const result of fused) {
    const { value } = result;
    const args = value.args.filter((a) => a.op !== "constant");
    const together = (): Value[] => [...new Set(args.flatMap(inputsOf))];
    while (together().length > limit) {
      const part = args.reduce((a, b) => (inputsOf(b).length > inputsOf(a).length ? b : a));
      const known = results.get(part);
      if (!known || known.home)
        fail(
          "UNSUPPORTED",
          `${value.label}: expected kernels that take ${args.length} inputs, got a backend with at most ${limit}`,
        );
      const home = keep(part);
      results.set(part, { value: part, destinations: [home, ...known.destinations], home });
    }
    inputs.set(value, together());
    results.set(value, result);
  }
  return [...results.values()];
}
