// Packages that are no dependencies, fetched from npm on first use: installed beside their place and renamed, so that the folder is whole
// or absent, whatever is interrupted.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * @param {string} folder
 * @param {string[]} words npm's: `install NAME@VERSION`, or `ci` with
 * @param {string[]} given folders whose files lie there before: a manifest and a lockfile
 */
export async function installInto(folder, words, ...given) {
  await mkdir(dirname(folder), { recursive: true });
  const made = await mkdtemp(`${folder}-`);
  try {
    for (const from of given) await cp(from, made, { recursive: true });
    // Scripts compile native modules, or download what no lockfile pins.
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", [...words, "--prefix", made, ...quiet], { shell: process.platform === "win32" });
    await rename(made, folder);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}
