/** The kit's own test: backends broken on purpose, each in one way, all of which its laws must catch. */
import type { Backend } from "@recurra/core/internal";
import { conformance, type Law } from "../index.ts";
import { equationMutants, gradientMutants } from "./equations.ts";
import { functionMutants } from "./functions.ts";
import { tableMutants, tailMutants, viewMutants } from "./kernels.ts";
import { maskMutants } from "./masks.ts";
import { memoryMutants } from "./memory.ts";
import type { Mutant } from "./mutant.ts";
import { stateMutants } from "./states.ts";
import { sumMutants } from "./sums.ts";
import { weightMutants } from "./weights.ts";

export type { Mutant } from "./mutant.ts";
export const mutants: readonly Mutant[] = [
  ...memoryMutants,
  ...tailMutants,
  ...sumMutants,
  ...functionMutants,
  ...tableMutants,
  ...viewMutants,
  ...weightMutants,
  ...stateMutants,
  ...maskMutants,
  ...gradientMutants,
  ...equationMutants,
];

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

/** Where to look first for some faults; every law is tried before a mutant is said to survive. */
const near: readonly (readonly [law: RegExp, mutants: readonly string[]])[] = [
  [/^lifecycle/, ["works after dispose", "free does nothing"]],
  [/NaN/, ["0 · NaN of a neighbour", "relu swallows NaN"]],
  [
    /^reduce/,
    ["last row of a reduce", "last column of a reduce", "mean over the wrong axis", "maximum from 0"],
  ],
  [/^gather/, ["last row of a gather", "gather of −1"]],
  [/^scatterAdd/, ["duplicates overwrite", "table not cleared", "scatterAdd of −1"]],
  [/^gemm over/, ["last row of a sum over rows", "mean gradient"]],
  [
    /^ragged/,
    ["ends one step early", "masked steps reset", "reverse ignores ends", "masks by multiplication"],
  ],
  [/^bit for bit: time/, ["parity forgotten"]],
  [/^bit for bit: rows/, ["order depends on the batch"]],
  [/^the same bits/, ["order changes from run to run"]],
  [/^an embedding/, ["last step of another time"]],
  [/^a reverse/, ["final state of the reverse direction"]],
  [/^a bidirectional LSTM/, ["one direction's weights for both"]],
  [/^gru/, ["recurrent bias dropped", "reset before instead of after", "reset ignored"]],
];

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
      const hint = near.find(([, names]) => names.includes(name))?.[0];
      const rank = (law: Law): number => (hint?.test(law.name) ? 0 : law.about === level ? 1 : 2);
      for (const law of about.sort((a, b) => rank(a) - rank(b))) {
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
