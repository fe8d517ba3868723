/** Compiled modules, by what they compute; and instances over one memory. */
import { fail } from "./errors.ts";
import type { Format } from "./format.ts";
import type * as Format8 from "./format8.ts";
import { kept } from "./kept.ts";
import type { Memory } from "./memory.ts";
import { emit, probe, type Places, placesIn } from "./module.ts";
import type { Prebuilt } from "./prebuilt.ts";
import type { Crew } from "./team.ts";
import { instead, platform, type Exports, type WasmModule } from "./webassembly.ts";

/** Modules don't depend on sizes or memory: all backends of a page share them. */
const compiled = new Map<string, WasmModule>();

export interface Engine {
  readonly memory: Memory;
  readonly crew: Crew | undefined;
  readonly relaxed: boolean;
  /** Of weights that aren't in float32. */
  readonly format: Format | undefined;
  /** To ask where kernels lie in the module that will be `instance(places)`. */
  places(): Places;
  instance(places: Places): Exports;
  bytes(places: Places): Uint8Array;
}

function attempt<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    fail(
      "UNSUPPORTED",
      `wasm: expected to be allowed to compile and run WebAssembly, got ${String(error)}; give openWasm a prebuilt module, or ${instead}`,
    );
  }
}

export function openEngine(
  memory: Memory,
  prebuilt?: Prebuilt,
  crew?: Crew,
  format8?: typeof Format8,
): Engine {
  const valid = (relaxed: boolean): boolean => platform().validate(probe(relaxed));
  const relaxed = prebuilt ? prebuilt.contents.relaxed : valid(true);
  const instances = new Map<string, Exports>();
  const compile = (key: string, bytes: () => Uint8Array): WasmModule =>
    kept(compiled, key, () => new (platform().Module)(bytes()));
  if (!prebuilt) {
    if (!relaxed && !valid(false))
      fail("UNSUPPORTED", `openWasm: expected WebAssembly with SIMD, got an engine without; ${instead}`);
    // What a policy forbids shows now, not at the first model.
    attempt(() => compile("probe", () => probe(false)));
  }
  const format = format8?.int8(relaxed && (prebuilt !== undefined || !format8.dotSaturates(platform())));
  const bytes = (places: Places): Uint8Array => emit(places.maps, relaxed, crew?.extend, format);
  return {
    memory,
    crew,
    relaxed,
    format,
    places: () => placesIn(prebuilt?.contents),
    instance: (places) =>
      kept(instances, places.key(), () => {
        const key = [relaxed, crew && "threads", format?.name, places.key()].join();
        return attempt(() => {
          const module = prebuilt?.module ?? compile(key, () => bytes(places));
          return new (platform().Instance)(module, { m: { m: memory.memory } }).exports as Exports;
        });
      }),
    bytes,
  };
}
