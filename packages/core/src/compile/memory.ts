/**
 * Plan memory: values of one shape whose lifetimes don't overlap share a buffer.
 *
 * Lifetimes are counted in launches, in program order. Within a chunk, or a step of a loop, that is the order in which they
 * run; nothing but states and what is as long as the sequence lives on from one chunk to the next, and a slot is addressed by
 * its step, so that a value written at a step never meets another's at a later one.
 */
import type { BufferSpec, Launch, Operand, Program } from "../backend.ts";

export function planMemory(program: Program): Program {
  const launches = program.sections.flatMap((section) => section.parts.flatMap((part) => part.launches));
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  launches.forEach((launch, i) => {
    for (const { buffer } of [...launch.inputs, ...launch.outputs]) {
      if (!first.has(buffer)) first.set(buffer, i);
      last.set(buffer, i);
    }
  });

  // A buffer's new number: its own, or that of one that is free when it begins.
  const moved = new Map<number, number>();
  const free = new Map<string, { readonly buffer: number; until: number }[]>();
  const values = [...first]
    .filter(([buffer]) => program.buffers[buffer]?.role === "value")
    .sort(([, a], [, b]) => a - b);
  for (const [buffer, begin] of values) {
    const { rows, width, slots } = program.buffers[buffer] as BufferSpec;
    const shape = `${rows}|${width}|${slots}`;
    const shelf = free.get(shape) ?? [];
    free.set(shape, shelf);
    const until = last.get(buffer) as number;
    const spare = shelf.find((s) => s.until < begin);
    if (spare) {
      moved.set(buffer, spare.buffer);
      spare.until = until;
    } else shelf.push({ buffer, until });
  }

  // Numbers without gaps.
  const kept = program.buffers.flatMap((_, i) =>
    moved.has(i) || !(first.has(i) || isShared(program, i)) ? [] : [i],
  );
  const numbers = new Map(kept.map((old, i) => [old, i]));
  const number = (old: number): number => numbers.get(moved.get(old) ?? old) as number;
  const operand = (o: Operand): Operand => ({ ...o, buffer: number(o.buffer) });
  const launch = (l: Launch): Launch => ({
    ...l,
    inputs: l.inputs.map(operand),
    outputs: l.outputs.map(operand),
  });
  const table = (t: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(t).map(([name, old]) => [name, number(old)]));
  return {
    ...program,
    buffers: kept.map((old) => program.buffers[old] as BufferSpec),
    sections: program.sections.map((s) => ({
      ...s,
      parts: s.parts.map((p) => ({ ...p, launches: p.launches.map(launch) })),
    })),
    states: program.states.map((s) => ({
      ...s,
      buffer: number(s.buffer),
      ...(s.history && { history: operand(s.history) }),
    })),
    inputs: table(program.inputs),
    parameters: table(program.parameters),
    outputs: Object.fromEntries(Object.entries(program.outputs).map(([name, o]) => [name, operand(o)])),
  };
}

const isShared = (program: Program, buffer: number): boolean =>
  !["value", "constant"].includes((program.buffers[buffer] as BufferSpec).role);
