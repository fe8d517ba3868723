// Where things lie, seen from src/ and from dist/ alike.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { ModuleFile } from "./module-files.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What the build makes of src/kit: a program for Node, and a page with its worker. */
export const kitProgram = at("../dist/kit/node.js");
export const pageFolder = at("../dist/browser");
/** A page that renders audio, and its worklet. */
export const workletFolder = at("../dist/worklet");
/** The root commands, which know how to build what isn't built. */
export const rootCommands = at("../../../scripts/run.mjs");
/** A page that trains, and its worker. */
export const trainingFolder = at("../dist/training");
/** A page that loses its context. */
export const lostFolder = at("../dist/lost");
export const cacheFolder = at("../../../node_modules/.cache/recurra-engines");

/** A module of WebAssembly that was made ahead of time. */
export const moduleFile = (name: ModuleFile): string =>
  createRequire(import.meta.url).resolve(`@recurra/backend-wasm/${name}.wasm`);
