/** What is used of the platform's WebAssembly, which not every platform has, or allows. */
import { fail } from "./errors.ts";

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** A compiled module; a `WebAssembly.Module`. */
export type WasmModule = object;

/** What our modules export. */
export interface Exports {
  pack(
    from: number,
    depthStride: number,
    columnStride: number,
    depth: number,
    width: number,
    to: number,
    panelStride: number,
    step: number,
  ): void;
  walk(parts: number, count: number, first: number, steps: number, reverse: number, parity: number): void;
  /** Of modules that are made for threads: walk many spans (engine/barrier.ts). */
  tour?(from: number, to: number, sections: number): void;
}

export interface Platform {
  readonly WebAssembly?: {
    readonly Memory: new (limits: { initial: number; maximum: number; shared?: boolean }) => WasmMemory;
    readonly Module: (new (bytes: Uint8Array) => WasmModule) & {
      customSections(module: WasmModule, name: string): ArrayBuffer[];
    };
    readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: unknown };
    compile(bytes: ArrayBuffer): Promise<WasmModule>;
    validate(bytes: Uint8Array): boolean;
  };
  fetch?(url: string | URL): Promise<ResponseLike>;
  readonly console?: { warn(text: string): void };
  /** False in a page that may not share memory; undefined where there are no pages. */
  readonly crossOriginIsolated?: boolean;
  readonly SharedArrayBuffer?: unknown;
}

/** A `Response`, as far as it is used. */
export interface ResponseLike {
  readonly ok: boolean;
  readonly status: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** A `URL`, as far as it is used. */
export interface URL {
  readonly href: string;
}

export const instead = "use openCpu() of @recurra/backend-cpu, which needs none";

const here = globalThis as Platform;

export const platform = (): NonNullable<Platform["WebAssembly"]> =>
  here.WebAssembly ??
  fail("UNSUPPORTED", `openWasm: expected a platform with WebAssembly, got one without; ${instead}`);

export const fetchFrom = (url: string | URL): Promise<ResponseLike> =>
  here.fetch?.(url) ??
  fail("UNSUPPORTED", "openWasm: expected a platform with fetch, got one without; give a WebAssembly.Module");
