/** Modules made ahead of time, for pages and workers that may not compile at run time, or would rather not. */
import { fail, kindOf } from "./errors.ts";
import { engineKey, SECTION, type Contents } from "./module.ts";
import { fetchFrom, instead, platform, type ResponseLike, type URL, type WasmModule } from "./webassembly.ts";

/** Where such a module comes from: its address, what was fetched from there, or the module itself. */
export type ModuleSource = string | URL | ResponseLike | WasmModule;

export interface Prebuilt {
  readonly module: WasmModule;
  readonly contents: Contents;
}

/** @throws RecurraError when it can't be had, or isn't one of ours */
export async function loadPrebuilt(source: ModuleSource): Promise<Prebuilt> {
  const module = await moduleOf(source);
  let got = "another";
  try {
    const [section] = platform().Module.customSections(module, SECTION);
    if (section) {
      const contents = JSON.parse(ascii(section)) as Contents;
      if (contents.engine === engineKey(contents.relaxed)) return { module, contents };
      got = "one of another version; take both from the same";
    }
  } catch {
    // Said below.
  }
  fail(
    "INVALID_ARGUMENT",
    `openWasm: expected a module made by this package's build, got ${got}; ${instead}`,
  );
}

async function moduleOf(source: ModuleSource): Promise<WasmModule> {
  if (typeof source !== "string" && (Object(source) !== source || "then" in source || "byteLength" in source))
    fail(
      "INVALID_ARGUMENT",
      `openWasm: expected module to be an address, a Response or a WebAssembly.Module, got ${kindOf(source)}; await a promise, compile bytes`,
    );
  try {
    const fetched = typeof source === "string" || "href" in source ? await fetchFrom(source) : source;
    if (!("arrayBuffer" in fetched)) return fetched;
    const response = fetched as ResponseLike;
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return await platform().compile(await response.arrayBuffer());
  } catch (error) {
    fail(
      "UNSUPPORTED",
      `openWasm: expected a whole prebuilt module, and to be allowed to compile it, got ${String(error)}; ${instead}`,
    );
  }
}

const ascii = (buffer: ArrayBuffer): string =>
  Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
