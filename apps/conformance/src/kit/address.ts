// Where a page or a worker finds a module of WebAssembly that was made ahead of time: beside its own scripts.
import type { FindModule } from "../module-files.ts";

export const addressOf: FindModule = (name) => new URL(`${name}.wasm`, import.meta.url);
