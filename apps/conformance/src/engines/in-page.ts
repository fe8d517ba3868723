// A page of headless Chromium, served from a folder, for as long as it's used.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Page } from "playwright-core";
import type { Entry } from "../backends.ts";
import { Missing } from "./engine.ts";
import { serve } from "./serve.ts";

/** What Chromium would otherwise do over the network by itself. */
const quiet = [
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * @param folder has page.js and what it loads
 * @param needs what the page must be allowed and Chromium be told
 * @param use with the page before it is opened, and its address
 */
export async function inPage<T>(
  folder: string,
  needs: Pick<Entry, "scriptSources" | "workerSources" | "chromiumFlags">,
  use: (page: Page, url: string) => Promise<T>,
): Promise<T> {
  const args = [...quiet, ...(needs.chromiumFlags ?? [])];
  const browser = await chromium.launch({ executablePath: findChromium(), args });
  try {
    const server = await serve(folder, needs);
    try {
      return await use(await browser.newPage(), server.url);
    } finally {
      server.close();
    }
  } finally {
    await browser.close();
  }
}

/** @throws Missing */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string {
  const { CHROMIUM_PATH: given, PATH = "" } = environment;
  if (given) {
    if (isProgram(given)) return given;
    throw new Missing(`CHROMIUM_PATH is ${given}, which is no program`);
  }
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const candidates = PATH.split(delimiter)
    .filter(Boolean)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  candidates.push("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
  const found = candidates.find(isProgram);
  if (found === undefined)
    throw new Missing(
      "no Chromium here; install one (Debian: apt-get install chromium), or set CHROMIUM_PATH to its program",
    );
  return found;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
