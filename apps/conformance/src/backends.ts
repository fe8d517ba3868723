// The backends that can be tested: add yours here, and every engine, the laws, the mutants' program and the page find it.
import type { Mode } from "@recurra/backend-gpujs";
import type { Backend } from "@recurra/core";
import { browsers, type EngineName, nodes } from "./engines/names.ts";
import { type FindModule, moduleFiles } from "./module-files.ts";

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
  /** What a mode must be allowed besides what the others are. */
  readonly needs?: Readonly<Record<string, Pick<Entry, "scriptSources" | "chromiumFlags">>>;
  /** What the results call a variant, where that isn't its word. */
  readonly called?: Readonly<Record<string, string>>;
  /** What a strict policy (`script-src 'self'`) must allow besides: "'wasm-unsafe-eval'", "'unsafe-eval'". */
  readonly scriptSources?: readonly string[];
  /** The same of workers (`worker-src 'self'`): "blob:". */
  readonly workerSources?: readonly string[];
  /** What Chromium must be told, besides what every page needs. */
  readonly chromiumFlags?: readonly string[];
  /** Imported when asked for, so that no backend's package is loaded for another's sake. */
  open(way: Way, find?: FindModule): Promise<Backend>;
}

const THREADS = 2;

/** int8 weights by relaxed dot products, which a module made ahead of time has even where they aren't the faster way. */
const DOTS = "int8-prebuilt-relaxed";

/** Chromium's own rasteriser, SwiftShader: a machine without a GPU has no other WebGL. */
const softwareGl = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];

export type Registry = Readonly<Record<string, Entry>>;

export const backends: Registry = {
  cpu: {
    engines: [...nodes, ...browsers],
    open: async () => (await import("@recurra/backend-cpu")).openCpu(),
  },
  wasm: {
    engines: [...nodes, ...browsers],
    // Modules that were made ahead of time, and other ways to run.
    variants: [...moduleFiles, "threads", "int8", DOTS],
    scriptSources: ["'wasm-unsafe-eval'"],
    // Threads.
    workerSources: ["blob:"],
    called: { threads: `threads=${THREADS}` },
    async open({ variant }, find) {
      const { openWasm } = await import("@recurra/backend-wasm");
      if (variant === "threads") {
        const backend = await openWasm({ threads: THREADS });
        // What runs on one thread says nothing of two.
        if (backend.name !== `wasm(threads=${THREADS})`)
          throw new Error(`expected ${THREADS} threads, got ${backend.name}`);
        return backend;
      }
      const int8 = variant === "int8" || variant === DOTS;
      const name = moduleFiles.find(
        (known) => known === variant || (variant === DOTS && known === "prebuilt-relaxed"),
      );
      if (name !== undefined && !find) throw new Error(`expected to be told where ${name}.wasm is`);
      const backend = await openWasm({ int8, module: name && (await find?.(name)) });
      return int8 ? (backend.weights?.int8 as Backend) : backend;
    },
  },
  gpujs: {
    engines: [...nodes, ...browsers],
    modes: {
      headlessgl: nodes,
      webgl2: browsers,
      webgl: browsers,
      webgpu: browsers,
      cpu: [...nodes, ...browsers],
      webasm: [...nodes, ...browsers],
    },
    needs: {
      cpu: { scriptSources: ["'unsafe-eval'"] },
      webasm: { scriptSources: ["'wasm-unsafe-eval'"] },
      webgpu: { chromiumFlags: [...softwareGl, "--enable-unsafe-webgpu"] },
    },
    chromiumFlags: softwareGl,
    async open({ mode }) {
      const { openGpuJs } = await import("@recurra/backend-gpujs");
      // It refuses what isn't one.
      return openGpuJs({ mode: mode as Mode | undefined });
    },
  },
};

/** A backend in a mode. */
export const inMode = (entry: Entry, mode: string | undefined): Entry => ({
  ...entry,
  ...(mode !== undefined && entry.needs?.[mode]),
});

/** Whether the backend says that it needs code made from strings; everything else is run where that is forbidden. */
export const needsEval = ({ scriptSources = [] }: Entry): boolean => scriptSources.includes("'unsafe-eval'");
