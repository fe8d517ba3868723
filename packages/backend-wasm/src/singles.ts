/** Maps of a single instruction: with them a module that was made ahead of time can run any equations, if more slowly. */
import type { FunctionName } from "@recurra/core";
import type { EquationMap } from "./map.ts";
import { single } from "./simple.ts";

const arities: Readonly<Record<FunctionName, 1 | 2 | 3>> = {
  copy: 1, neg: 1, exp: 1, log: 1, tanh: 1, sigmoid: 1, relu: 1, softplus: 1, abs: 1, sqrt: 1, rsqrt: 1, reciprocal: 1,
  plus: 2, minus: 2, times: 2, over: 2, max: 2, min: 2, less: 2, lessEqual: 2, equal: 2, clamp: 3, select: 3,
}; // prettier-ignore

/** Every function, each of its operands with columns of its own or with one for all. */
export const singles = (): EquationMap[] =>
  (Object.keys(arities) as FunctionName[]).flatMap((fn) =>
    Array.from({ length: 1 << arities[fn] }, (_, bits) => ({
      kernel: single(
        fn,
        Array.from({ length: arities[fn] }, (__, input) => ({ input })),
      ),
      repeated: Array.from({ length: arities[fn] }, (__, i) => (bits & (1 << i)) !== 0),
    })),
  );
