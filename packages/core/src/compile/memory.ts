/**
 * Plan memory: values of one shape whose lifetimes don't overlap share a buffer.
 *
 * Lifetimes are counted in launches, in program order. Within a chunk, or a step of a loop, that is the order in which they
 * run; nothing but states and what is as long as the sequence lives on from one chunk to the next, and a slot is addressed by
 * its step, so that a value written at a step never meets another's at a later one.
 */
import type { BufferSpec, Program } from "../backend.ts";

export function planMemory(program: Program): Program {
  const { buffers } = program;
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  program.sections
    .flatMap(({ parts }) => parts.flatMap(({ launches }) => launches))
    .forEach(({ inputs, outputs }, i) => {
      for (const { buffer } of [...inputs, ...outputs]) {
        if (!first.has(buffer)) first.set(buffer, i);
        last.set(buffer, i);
      }
    });

  // A buffer's new number: its own, or that of one that is free when it begins. They come in the order in which they begin.
  const moved = new Map<number, number>();
  const shelves = new Map<string, { readonly buffer: number; until: number }[]>();
  for (const [buffer, begin] of first) {
    const { role, rows, width, slots } = buffers[buffer] as BufferSpec;
    if (role !== "value") continue;
    const shape = [rows, width, slots].join();
    const shelf = shelves.get(shape) ?? [];
    shelves.set(shape, shelf);
    const until = last.get(buffer) as number;
    const spare = shelf.find((s) => s.until < begin);
    moved.set(buffer, spare?.buffer ?? buffer);
    if (spare) spare.until = until;
    else shelf.push({ buffer, until });
  }

  // Numbers without gaps.
  const kept = [...buffers.keys()].filter((i) =>
    ["value", "constant"].includes((buffers[i] as BufferSpec).role)
      ? first.has(i) && (moved.get(i) ?? i) === i
      : true,
  );
  const number = (old: number): number => kept.indexOf(moved.get(old) ?? old);
  const table = (t: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(t).map(([name, old]) => [name, number(old)]));
  return {
    ...renumbered(program, number),
    buffers: kept.map((old) => buffers[old] as BufferSpec),
    inputs: table(program.inputs),
    parameters: table(program.parameters),
  };
}

/** A copy in which whatever names a buffer names it by its new number. */
function renumbered<T>(part: T, number: (old: number) => number): T {
  if (typeof part !== "object" || part === null) return part;
  if (Array.isArray(part)) return part.map((item: unknown) => renumbered(item, number)) as T;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]: [string, unknown]) => [
      key,
      key === "buffer" ? number(value as number) : renumbered(value, number),
    ]),
  ) as T;
}
