// Where things lie, seen from src/ and from dist/ alike.
import { fileURLToPath } from "node:url";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What the build makes of src/kit: a program for Node, and a page with its worker. */
export const kitProgram = at("../dist/kit/node.js");
export const pageFolder = at("../dist/browser");
export const cacheFolder = at("../../../node_modules/.cache/recurra-engines");
