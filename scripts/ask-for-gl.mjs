// Headless GL isn't compiled by installing; whoever asks for what needs it gets it compiled, by `npm run gl`.
import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Resolves with why it can't be had; with undefined where it is there.
 * @param {string} rootCommands where run.mjs is, since this file is built into programs that lie elsewhere
 * @returns {Promise<string | undefined>}
 */
export async function askForGl(rootCommands) {
  const child = spawn(process.execPath, [rootCommands, "gl"], { stdio: ["ignore", 2, 2] });
  const [code] = await once(child, "close");
  return code === 0 ? undefined : "headless GL isn't there; what `npm run gl` said of it is above";
}
