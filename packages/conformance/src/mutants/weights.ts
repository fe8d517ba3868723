/** Faults in which weights a program uses. */
import type { Program } from "@recurra/core/internal";
import type { Mutant } from "./mutant.ts";
import { isU, shadowFault, zeros } from "./program-faults.ts";

/** Swap two blocks of rows. */
function swapRows(data: Float32Array, block: number, i: number, j: number): Float32Array {
  const out = data.slice();
  out.set(data.subarray(i * block, (i + 1) * block), j * block);
  out.set(data.subarray(j * block, (j + 1) * block), i * block);
  return out;
}

/** How many gates a stacked matrix has: as many as its cell has biases. */
function gatesOf(program: Program, name: string): number {
  const bias = program.parameters[name.replace(/\.[^.]+$/, ".b")];
  return bias === undefined ? 1 : (program.buffers[bias]!.rows as number);
}

const half = (v: number): number => {
  // float16: 11 bits of precision
  if (v === 0 || !Number.isFinite(v)) return v;
  const ulp = 2 ** (Math.floor(Math.log2(Math.abs(v))) - 10);
  return Math.round(v / ulp) * ulp;
};

export const weightMutants: readonly Mutant[] = [
  shadowFault(
    "gates swapped",
    "takes the second gate's weights for the first and the other way round",
    (data, name, spec, { program }) => {
      const gates = gatesOf(program, name);
      return /\.[WUb]$/.test(name) && gates > 1
        ? swapRows(data, ((spec.rows as number) / gates) * spec.width, 0, 1)
        : undefined;
    },
  ),
  shadowFault(
    "gates of U swapped",
    "takes the recurrent weights of the first two gates for each other",
    (data, name, spec, { program }) => {
      const gates = gatesOf(program, name);
      return isU(name) && gates > 1
        ? swapRows(data, ((spec.rows as number) / gates) * spec.width, 0, 1)
        : undefined;
    },
  ),
  shadowFault("U transposed", "applies Uᵀ", (data, name, { width }) => {
    if (!isU(name)) return undefined;
    const block = width * width;
    return data.length % block === 0
      ? data.map(
          (_, i) =>
            data[Math.floor(i / block) * block + (i % width) * width + Math.floor((i % block) / width)]!,
        )
      : undefined;
  }),
  shadowFault("recurrent bias dropped", "forgets the bias inside the reset", (data, name) =>
    name.endsWith(".d") ? zeros(data) : undefined,
  ),
  shadowFault("bias dropped", "forgets the last gate's bias", (data, name, { rows, width }) =>
    name.endsWith(".b") ? data.fill(0, ((rows as number) - 1) * width) : undefined,
  ),
  shadowFault("forget bias of 1", "adds 1 to the second gate's bias", (data, name, { rows, width }) =>
    name.endsWith(".b") && (rows as number) > 1
      ? data.map((v, i) => (Math.floor(i / width) === 1 ? v + 1 : v))
      : undefined,
  ),
  shadowFault(
    "one direction's weights for both",
    "uses the forward weights in the reverse direction",
    (_data, name, _, run) => {
      const other = run.program.parameters[name.replace(".reverse.", ".")];
      return name.includes(".reverse.") && other !== undefined ? run.get(run.shared(other)) : undefined;
    },
  ),
  shadowFault(
    "peepholes swapped",
    "takes the input gate's peephole for the forget gate's and the other way round",
    (data, name, { width }) => (name.endsWith(".p") ? swapRows(data, width, 0, 1) : undefined),
  ),
  shadowFault("no output peephole", "forgets the output gate's peephole", (data, name, { width }) =>
    name.endsWith(".p") ? data.fill(0, 2 * width) : undefined,
  ),
  shadowFault("float16 weights", "rounds the weights to float16", (data, name) =>
    /\.[WU]$/.test(name) ? data.map(half) : undefined,
  ),
];
