/**
 * Limits of maps: for a backend whose maps take only so many inputs and outputs, larger ones are split, at results that are
 * kept in memory or computed again. It comes with the backends that have such limits, so that no page ships it for the others.
 */
import type { Instruction, Launch, MapKernel, MapLimits, Operand, Program, Section } from "./backend.ts";
import { fail } from "./errors.ts";

/** @param limits at least 3 inputs (a select has that many) and 1 output */
export function mapLimits(limits: Pick<MapLimits, "inputs" | "outputs">): MapLimits {
  const { inputs, outputs } = limits;
  if (!(inputs >= 3 && outputs >= 1))
    fail(
      "INVALID_ARGUMENT",
      `mapLimits: expected maps that take at least 3 inputs and 1 output, got ${inputs} and ${outputs}; a select has 3`,
    );
  return { inputs, outputs, split: (program) => splitMaps(program, limits) };
}

function splitMaps(program: Program, limits: Pick<MapLimits, "inputs" | "outputs">): Program {
  const buffers = [...program.buffers];
  /** A value that only the parts of a map see. */
  const keep = ({ kernel: { width }, rows }: Launch, { kind }: Section): Operand => ({
    buffer:
      buffers.push({
        name: "part of a map", role: "value", rows: rows === "steps" ? "batch" : rows, width,
        slots: rows !== "steps" ? 1 : kind === "whole" ? "steps" : "chunk",
      }) - 1,
    column: 0, width, row: 0, repeatRow: false, repeatColumn: false, shift: 0,
  }); // prettier-ignore
  const sections = program.sections.map((section) => ({
    ...section,
    parts: section.parts.map((part) => ({
      ...part,
      launches: part.launches.flatMap((launch) => {
        const { kernel } = launch;
        const fits =
          kernel.op !== "map" || (kernel.inputs <= limits.inputs && kernel.outputs.length <= limits.outputs);
        return fits ? [launch] : splitMap(launch, kernel, limits, () => keep(launch, section));
      }),
    })),
  }));
  return { ...program, buffers, sections };
}

function splitMap(
  launch: Launch,
  { width, instructions, outputs }: MapKernel,
  limits: Pick<MapLimits, "inputs" | "outputs">,
  keep: () => Operand,
): Launch[] {
  // Results that lie in memory, from where later kernels read them. A state's next value isn't read back.
  const kept = new Map<number, Operand>();
  const written = outputs.map((result, i) => ({ result, to: launch.outputs[i] as Operand }));
  for (const { result, to } of written) if (!to.pair && !kept.has(result)) kept.set(result, to);

  // What flows into each result: inputs of the map by number, and results that are kept, as −1 − number.
  const flows: (readonly number[])[] = [];
  const into = (result: number): readonly number[] =>
    kept.has(result) ? [-1 - result] : (flows[result] as readonly number[]);
  const flow = ({ args }: Instruction): number[] => [
    ...new Set(args.flatMap((a) => ("input" in a ? a.input : "result" in a ? into(a.result) : []))),
  ];
  /** The first instruction into which too much flows together. */
  const overfull = (): Instruction | undefined => {
    flows.length = 0;
    for (const instruction of instructions) {
      const all = flow(instruction);
      if (all.length > limits.inputs) return instruction;
      flows.push(all);
    }
    return undefined;
  };
  // The largest part of it is kept. Whatever reads that part now reads one thing more, so all is looked at again.
  for (let instruction; (instruction = overfull());) {
    const parts = instruction.args.flatMap((a) => ("result" in a ? a.result : []));
    const largest = parts.reduce((a, b) => (into(b).length > into(a).length ? b : a));
    const to = keep();
    kept.set(largest, to);
    written.push({ result: largest, to });
  }

  const stored = new Set<number>();
  /** The instructions of a kernel that writes these, and what it reads: results that lie in memory are read back. */
  const cone = (wanted: readonly number[]): { inside: Set<number>; sources: Set<number> } => {
    const inside = new Set<number>();
    const sources = new Set<number>();
    const visit = (result: number): void => {
      if (inside.has(result)) return;
      if (stored.has(result) && !wanted.includes(result)) {
        sources.add(-1 - result);
        return;
      }
      inside.add(result);
      for (const a of (instructions[result] as Instruction).args)
        if ("result" in a) visit(a.result);
        else if ("input" in a) sources.add(a.input);
    };
    wanted.forEach(visit);
    return { inside, sources };
  };

  const launches: Launch[] = [];
  let rest = written.sort((a, b) => a.result - b.result);
  while (rest.length > 0) {
    // As many outputs as the limits allow, in order.
    let count = Math.min(rest.length, limits.outputs);
    const results = (): number[] => rest.slice(0, count).map((w) => w.result);
    while (count > 1 && cone(results()).sources.size > limits.inputs) count--;
    const now = results();
    const { inside, sources } = cone(now);
    const from = [...sources];
    const order = [...inside].sort((a, b) => a - b);
    const argument = (a: Instruction["args"][number]): typeof a => {
      if ("constant" in a) return a;
      if ("result" in a && inside.has(a.result)) return { result: order.indexOf(a.result) };
      return { input: from.indexOf("result" in a ? -1 - a.result : a.input) };
    };
    launches.push({
      ...launch,
      kernel: {
        op: "map",
        width,
        inputs: from.length,
        instructions: order.map((i) => {
          const { fn, args } = instructions[i] as Instruction;
          return { fn, args: args.map(argument) };
        }),
        outputs: now.map((result) => order.indexOf(result)),
      },
      inputs: from.map((s) => (s < 0 ? kept.get(-1 - s) : launch.inputs[s]) as Operand),
      outputs: rest.slice(0, count).map((w) => w.to),
    });
    for (const { result, to } of rest.slice(0, count)) if (kept.get(result) === to) stored.add(result);
    rest = rest.slice(count);
  }
  return launches;
}
