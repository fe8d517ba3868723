// The backends that can be tested: add yours here, and every engine, the laws, the mutants' program and the page find it.
import type { Backend } from "@recurra/core";
import { browsers, type EngineName, nodes } from "./engines/names.ts";

/** How a backend is to be opened: the words of the command line. */
export interface Way {
  readonly mode?: string | undefined;
  readonly variant?: string | undefined;
}

export interface Entry {
  readonly engines: readonly EngineName[];
  /** Where each mode runs; an engine's first is its default. */
  readonly modes?: Readonly<Record<string, readonly EngineName[]>>;
  readonly variants?: readonly string[];
  /** What a strict policy (`script-src 'self'`) must allow besides: "'wasm-unsafe-eval'", "'unsafe-eval'". */
  readonly scriptSources?: readonly string[];
  /** Imported when asked for, so that no backend's package is loaded for another's sake. */
  open(way: Way): Promise<Backend>;
}

export type Registry = Readonly<Record<string, Entry>>;

export const backends: Registry = {
  cpu: {
    engines: [...nodes, ...browsers],
    open: async () => (await import("@recurra/backend-cpu")).openCpu(),
  },
  wasm: {
    engines: [...nodes, ...browsers],
    scriptSources: ["'wasm-unsafe-eval'"],
    open: async () => (await import("@recurra/backend-wasm")).openWasm(),
  },
};

/** Whether the backend says that it needs code made from strings; everything else is run where that is forbidden. */
export const needsEval = ({ scriptSources = [] }: Entry): boolean => scriptSources.includes("'unsafe-eval'");
