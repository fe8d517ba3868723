// Modules of WebAssembly that were made ahead of time: what they are called, and how an engine comes by one.
import type { ModuleSource } from "@recurra/backend-wasm";

/** The files of @recurra/backend-wasm, without their ending. */
export const moduleFiles = ["prebuilt", "prebuilt-relaxed"] as const;
export type ModuleFile = (typeof moduleFiles)[number];

/** A page has an address for it, a process reads the file. */
export type FindModule = (name: ModuleFile) => ModuleSource | Promise<ModuleSource>;
