// Where things lie, seen from src/ and from dist/ alike.
import { fileURLToPath } from "node:url";

export const benchFolder = fileURLToPath(new URL("..", import.meta.url));
export const repositoryFolder = fileURLToPath(new URL("../../..", import.meta.url));
export const cacheFolder = fileURLToPath(
  new URL("../../../node_modules/.cache/recurra-peers", import.meta.url),
);
