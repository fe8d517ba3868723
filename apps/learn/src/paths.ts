// Where things lie, seen from src/ and from dist/ alike.
import { fileURLToPath } from "node:url";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A folder for each package of data, with the manifest and the lockfile that pin it. */
export const pinsFolder = at("../data");
export const torchScript = at("../torch/trainer.py");
export const cacheFolder = at("../../../node_modules/.cache/recurra-data");
