/**
 * Threads: workers over one shared memory, each walking a script of its own for every program. Reached from `openWasm` alone, when it
 * is asked for threads, so that nobody else ships them.
 */
import { barrier, CONTROL_WORDS, tour } from "../engine/barrier.ts";
import type { Prebuilt } from "../prebuilt.ts";
import type { Crew, Given } from "../team.ts";
import type { Platform, WasmMemory } from "../webassembly.ts";
import { Foreman, type ForemanOptions } from "./foreman.ts";
import { startWorkers } from "./worker.ts";

/** How long workers may take to be ready, in ms. */
const PATIENCE = 5000;
const PAGES = 65536;

const here = globalThis as Platform;

/** What modules for threads have besides the engine. */
export const extend: Crew["extend"] = (assembler, walk) => {
  assembler.shared = true;
  assembler.tabled(barrier(assembler));
  assembler.export("tour", tour(assembler, walk));
};

/** Undefined, and a warning that says why, where it can't be: then one thread runs everything. */
export async function startCrew(
  given: Given,
  threads: number,
  prebuilt: Prebuilt | undefined,
  options: ForemanOptions = {},
): Promise<Foreman | undefined> {
  const alone = (why: string): undefined => {
    here.console?.warn(`openWasm: expected ${threads} threads, got one: ${why}. It runs on one thread.`);
    return undefined;
  };
  if (here.SharedArrayBuffer === undefined || here.crossOriginIsolated === false)
    return alone(
      "this page is not cross-origin isolated; serve it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
    );
  if (prebuilt && !prebuilt.contents.threads)
    return alone("the module was made for one; give prebuilt-threads.wasm or prebuilt-threads-relaxed.wasm");
  try {
    const memory = given.openMemory(sharedMemory());
    const control = memory.take(4 * CONTROL_WORDS);
    memory.words().fill(0, control / 4, control / 4 + CONTROL_WORDS);
    let foreman: Foreman | undefined = undefined as Foreman | undefined;
    const data = Array.from({ length: threads - 1 }, (_, i) => ({
      memory: memory.memory,
      control,
      thread: i + 1,
      ...(prebuilt && { module: prebuilt.module }),
    }));
    const workers = await startWorkers(data, PATIENCE, (what) => foreman?.lose(what));
    return (foreman = new Foreman(given, memory, control, workers, extend, prebuilt !== undefined, options));
  } catch (error) {
    return alone(
      `${String(error)}; a page's policy must allow workers from blobs (worker-src blob:), and shared memory needs address space`,
    );
  }
}

/** As large as the platform reserves: some have little address space. */
function sharedMemory(): WasmMemory {
  const { Memory: Made } = here.WebAssembly!;
  for (let maximum = PAGES; ; maximum /= 4)
    try {
      return new Made({ initial: 16, maximum, shared: true });
    } catch (error) {
      if (maximum <= PAGES / 16) throw error;
    }
}
