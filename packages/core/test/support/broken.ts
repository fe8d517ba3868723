/** Programs to break on purpose: what to break is found by what it is, so that a better plan doesn't break the test. */
import { describe, expect, it } from "vitest";
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
import { copyOf as made } from "../../src/compile/copy.ts";
import { RecurraError } from "../../src/errors.ts";
import { verify } from "../../src/internal.ts";

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
export const copyOf = (...operands: Parameters<typeof made>): Draft<Launch> => copy(made(...operands));

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

/** The verifier passes each program as it is, and refuses it broken. */
export function describeBreakages(
  programs: readonly (readonly [of: string, program: Program, breakages: readonly Breakage[]])[],
): void {
  describe.each(programs)("of %s", (_, program, breakages) => {
    it("nothing is wrong to begin with", () => {
      expect(() => verify(program)).not.toThrow();
    });
    it.each(breakages)("%s", (_what, says, how) => {
      const broken = new Broken(program);
      how(broken);
      const attempt = (): void => verify(broken.program);
      expect(attempt).toThrow(says);
      expect(attempt).toThrow(expect.objectContaining({ constructor: RecurraError, code: "INTERNAL" }));
    });
  });
}
