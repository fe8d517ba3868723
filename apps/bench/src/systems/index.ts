// Every system that the flags know: what it can do, without loading it, and how its process loads it.
import type { Peer } from "../peers.ts";
import type { System } from "../system.ts";
import type { Kind, Workload } from "../workloads.ts";

export interface Entry {
  readonly load: () => Promise<System>;
  readonly kinds: readonly Kind[];
  /** Why it can't do a workload; undefined where it can. */
  readonly cannot?: (workload: Workload) => string | undefined;
  /** What stands in brackets behind the word: `int8` in `wasm(int8)`. */
  readonly variants?: readonly string[];
  /** It computes another function: its results aren't checked. */
  readonly different?: true;
  /** What has to be fetched before its first use. */
  readonly fetch?: Peer;
  /** It runs on headless GL: `gl`, compiled, and a display. */
  readonly headlessGl?: true;
}

const forward: readonly Kind[] = ["forward"];
const both: readonly Kind[] = ["forward", "gradient"];
const all: readonly Kind[] = [...both, "train"];

export const backends: Readonly<Record<string, Entry>> = {
  cpu: { load: async () => (await import("./cpu.ts")).cpu, kinds: all },
  wasm: {
    load: async () => (await import("./wasm.ts")).wasm,
    kinds: all,
    variants: ["int8", "threads=2"],
  },
  gpujs: { load: async () => (await import("./gpujs.ts")).gpujs, kinds: both, headlessGl: true },
};

export const peers: Readonly<Record<string, Entry>> = {
  "ort-node": { load: async () => (await import("./ort.ts")).ortNode, kinds: forward, fetch: "ort-node" },
  "ort-web": { load: async () => (await import("./ort.ts")).ortWeb, kinds: forward, fetch: "ort-web" },
  "tfjs-cpu": { load: async () => (await import("./tfjs.ts")).tfjsCpu, kinds: all, fetch: "tfjs-cpu" },
  "tfjs-wasm": { load: async () => (await import("./tfjs.ts")).tfjsWasm, kinds: all, fetch: "tfjs-wasm" },
  "jax-js": { load: async () => (await import("./jax-js.ts")).jaxJs, kinds: all, fetch: "jax-js" },
  brain: {
    load: async () => (await import("./brain.ts")).brain,
    kinds: forward,
    cannot: ({ step }) => (step ? "its LSTM keeps no state between calls" : undefined),
    different: true,
    fetch: "brain",
  },
  numpy: { load: async () => (await import("./numpy.ts")).numpy, kinds: forward },
  torch: { load: async () => (await import("./torch.ts")).torch, kinds: ["train"] },
  naive: { load: async () => (await import("./naive.ts")).naive, kinds: forward },
  "gpujs-naive": {
    load: async () => (await import("./gpujs-naive.ts")).gpujsNaive,
    kinds: forward,
    headlessGl: true,
  },
};

/** A flag's word, taken apart: `wasm(int8)` is the system `wasm` in its variant `int8`. */
export interface SystemName {
  readonly word: string;
  readonly base: string;
  readonly variant: string | undefined;
}

export function parseSystemName(word: string): SystemName {
  const [, base = word, variant] = /^([^()]+)(?:\(([^()]+)\))?$/.exec(word) ?? [];
  return { word, base, variant };
}

export function entryOf({ base }: SystemName): Entry | undefined {
  return backends[base] ?? peers[base];
}
