/** The kit's own test: backends broken on purpose, each in one way, all of which its laws must catch. */
import type { Backend } from "@recurra/core/internal";
import { conformance } from "../index.ts";
import { kernelMutants } from "./kernels.ts";
import { memoryMutants } from "./memory.ts";
import type { Mutant } from "./mutant.ts";
import { programMutants } from "./programs.ts";

export type { Mutant } from "./mutant.ts";
export const mutants: readonly Mutant[] = [...memoryMutants, ...kernelMutants, ...programMutants];

export interface Kill {
  readonly mutant: string;
  readonly what: string;
  /** The law that caught it, and how; undefined where it survived. */
  readonly small: { readonly law: string; readonly failure: string } | undefined;
  readonly large: Kill["small"];
  readonly milliseconds: number;
}

export interface Score {
  readonly killed: number;
  readonly total: number;
  readonly kills: readonly Kill[];
}

export interface MutantOptions {
  /** Opens a correct backend that answers at once. */
  open(): Backend | Promise<Backend>;
  readonly seed?: number;
  readonly onKill?: (kill: Kill) => void;
}

/** Judge every mutant at small and at large sizes, each until a law catches it. Killed is what both catch. */
export async function killMutants({ open, seed = 1, onKill }: MutantOptions): Promise<Score> {
  // Expectations don't depend on what a mutant does.
  const memo = new Map<string, unknown>();
  const kills: Kill[] = [];
  for (const { name, what, level, wrap } of mutants) {
    const started = Date.now();
    const judge = async (sizes: "small" | "large"): Promise<Kill["small"]> => {
      const laws = conformance({ open: async () => wrap(await open()), seed, sizes, memo, variants: false });
      const about = laws.filter((law) => law.about !== "core");
      const first = about.filter((law) => law.about === level);
      for (const law of [...first, ...about.filter((l) => !first.includes(l))]) {
        const { passed, failure } = await law.run();
        if (!passed) return { law: law.name, failure: failure ?? "" };
      }
      return undefined;
    };
    const kill: Kill = {
      mutant: name,
      what,
      small: await judge("small"),
      large: await judge("large"),
      milliseconds: Date.now() - started,
    };
    kills.push(kill);
    onKill?.(kill);
  }
  return { killed: kills.filter((k) => k.small && k.large).length, total: kills.length, kills };
}
