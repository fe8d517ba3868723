/** Compiled modules, by what they compute; and instances over one memory. */
import { fail } from "./errors.ts";
import type { Memory } from "./memory.ts";
import { emit, Places, probe } from "./module.ts";
import type { Format } from "./format.ts";
import type * as Format8 from "./format8.ts";
import type { Prebuilt } from "./prebuilt.ts";
import type { Crew } from "./team.ts";
import { instead, platform, type Exports, type WasmModule } from "./webassembly.ts";

/** Modules don't depend on sizes or memory: all backends of a page share them. The ones made last are kept. */
const compiled = new Map<string, WasmModule>();
const KEPT = 64;

/** Whether this engine has the relaxed multiply-and-add: found once, by asking it to validate a module that uses it. */
let relaxedHere: boolean | undefined;
const hasRelaxed = (): boolean => (relaxedHere ??= platform().validate(probe(true)));

export class Engine {
  readonly relaxed: boolean;
  /** Of weights that aren't in float32. */
  readonly format: Format | undefined;
  readonly #instances = new Map<string, Exports>();

  constructor(
    readonly memory: Memory,
    readonly prebuilt?: Prebuilt,
    readonly crew?: Crew,
    format8?: typeof Format8,
  ) {
    this.relaxed = prebuilt ? prebuilt.contents.relaxed : hasRelaxed();
    if (!prebuilt && !this.relaxed && !platform().validate(probe(false)))
      fail("UNSUPPORTED", `openWasm: expected WebAssembly with SIMD, got an engine without; ${instead}`);
    // What a policy forbids shows now, not at the first model.
    if (!prebuilt) this.#compile("probe", () => probe(false));
    this.format = format8?.int8(
      this.relaxed && (prebuilt !== undefined || !format8.dotSaturates(platform())),
    );
  }

  /** To ask where kernels lie in the module that will be `instance(places)`. */
  places(): Places {
    return new Places(this.prebuilt?.contents);
  }

  instance(places: Places): Exports {
    const { key } = places;
    let instance = this.#instances.get(key);
    if (!instance) {
      const module =
        this.prebuilt?.module ??
        this.#compile(`${this.relaxed}${this.crew ? "threads" : ""}${this.format?.name}|${key}`, () =>
          this.bytes(places),
        );
      try {
        instance = new (platform().Instance)(module, { m: { m: this.memory.memory } }).exports as Exports;
      } catch (error) {
        fail(
          "UNSUPPORTED",
          `wasm: expected to make an instance of a module, got ${String(error)}; ${instead}`,
        );
      }
      this.#instances.set(key, instance);
      trim(this.#instances);
    }
    return instance;
  }

  bytes(places: Places): Uint8Array {
    return emit(places.maps, this.relaxed, this.crew?.extend, this.format);
  }

  #compile(name: string, bytes: () => Uint8Array): WasmModule {
    let module = compiled.get(name);
    if (!module) {
      try {
        module = new (platform().Module)(bytes());
      } catch (error) {
        fail(
          "UNSUPPORTED",
          `wasm: expected to be allowed to compile WebAssembly, got ${String(error)}; give openWasm a prebuilt module, or ${instead}`,
        );
      }
      compiled.set(name, module);
      trim(compiled);
    }
    return module;
  }
}

/** Forget what was made first. */
function trim(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= KEPT) break;
    map.delete(key);
  }
}
