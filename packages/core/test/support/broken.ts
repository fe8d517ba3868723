/** Programs to break on purpose: what to break is found by what it is, so that a better plan doesn't break the test. */
import type {
  BufferSpec,
  GemmKernel,
  Kernel,
  Launch,
  MapKernel,
  Operand,
  Part,
  Program,
} from "../../src/backend.ts";

export type Draft<T> = T extends object ? { -readonly [K in keyof T]: Draft<T[K]> } : T;

/** A copy in which nothing is shared. */
function copy<T>(value: T): Draft<T> {
  if (Array.isArray(value)) return value.map(copy) as Draft<T>;
  if (typeof value !== "object" || value === null) return value as Draft<T>;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, copy<unknown>(v)])) as Draft<T>;
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("there is no such thing to break");
  return value;
}

/** A kernel more, which copies one operand into another. */
export const copyOf = (from: Operand, to: Operand, rows: Launch["rows"]): Draft<Launch> => ({
  kernel: {
    op: "map",
    width: from.width,
    inputs: 1,
    instructions: [{ fn: "copy", args: [{ input: 0 }] }],
    outputs: [0],
  },
  rows,
  inputs: [{ ...from }],
  outputs: [{ ...to }],
});

export class Broken {
  readonly program: Draft<Program>;

  constructor(program: Program) {
    this.program = copy(program);
  }

  /** A part of the first section of a kind. */
  part(section: "forward" | "reverse" | "whole", index: number): Draft<Part> {
    return found(this.program.sections.find((s) => s.kind === section)?.parts[index]);
  }

  /** The first such kernel of the forward loop. */
  loop(op: Kernel["op"]): Draft<Launch> {
    return found(
      found(this.program.sections[0]?.parts.find((p) => p.kind === "loop")).launches.find(
        (l) => l.kernel.op === op,
      ),
    );
  }

  get gemm(): Draft<GemmKernel> {
    return this.loop("gemm").kernel as Draft<GemmKernel>;
  }

  get map(): Draft<MapKernel> {
    return this.loop("map").kernel as Draft<MapKernel>;
  }

  launch(matches: (l: Draft<Launch>) => boolean): Draft<Launch> {
    return found(this.program.sections.flatMap((s) => s.parts.flatMap((p) => p.launches)).find(matches));
  }

  /** What writes a buffer of this name. */
  writer(name: string): Draft<Launch> {
    return this.launch((l) => l.outputs.some((o) => this.spec(o).name === name));
  }

  spec({ buffer }: Operand): Draft<BufferSpec> {
    return found(this.program.buffers[buffer]);
  }

  buffer(matches: (spec: BufferSpec) => boolean): Draft<BufferSpec> {
    return found(this.program.buffers.find(matches));
  }

  index(spec: Draft<BufferSpec>): number {
    return this.program.buffers.indexOf(spec);
  }
}

/** What is broken, what the verifier must say of it, and how it is broken. */
export type Breakage = readonly [what: string, says: RegExp, how: (b: Broken) => void];
