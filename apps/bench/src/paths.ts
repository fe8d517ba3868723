// Where things lie, seen from src/ and from dist/ alike.
import { fileURLToPath } from "node:url";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const benchFolder = at("..");
/** The root commands, which know how to build what isn't built. */
export const rootCommands = at("../../../scripts/run.mjs");
export const cacheFolder = at("../../../node_modules/.cache/recurra-peers");
