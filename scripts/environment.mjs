// Where the repository is, and the environment of everything that the scripts start.
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What the scripts themselves remember. */
export const cache = join(root, "node_modules", ".cache", "recurra");

/** @type {NodeJS.ProcessEnv} */
export const environment = {
  ...process.env,
  PATH: join(root, "node_modules", ".bin") + delimiter + (process.env.PATH ?? ""),
  TURBO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
};
// `npm run --silent` hands its own silence down, and pnpm would then fail without a word.
delete environment.npm_config_loglevel;
