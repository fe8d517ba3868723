// The kit in a page or a module worker of headless Chromium, under a policy as strict as the backend bears.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { type Message, type Tell, toQuery } from "../job.ts";
import { pageFolder } from "../paths.ts";
import { type Engine, Missing } from "./engine.ts";
import { serve } from "./serve.ts";

/** What Chromium would otherwise do over the network by itself. */
export const quiet = [
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @param folder has page.js and what it loads */
export const chromiumEngine =
  (kind: "page" | "worker", { folder = pageFolder, flags = [] as readonly string[] } = {}): Engine =>
  async (job, entry, tell) => {
    const args = [...quiet, ...(entry.chromiumFlags ?? []), ...flags];
    const browser = await chromium.launch({ executablePath: findChromium(), args });
    try {
      const server = await serve(folder, entry);
      try {
        await visit(browser, `${server.url}?${toQuery(job)}${kind === "worker" ? "&worker" : ""}`, tell);
      } finally {
        server.close();
      }
    } finally {
      await browser.close();
    }
  };

/** Opens the page and hears it, until it has said its last word or can't say any more. */
async function visit(browser: Browser, url: string, tell: Tell): Promise<void> {
  const page = await browser.newPage();
  await new Promise<void>((resolve, reject) => {
    const broke = (reason: string) => reject(new Error(reason));
    browser.on("disconnected", () => broke("the browser ended"));
    page.on("crash", () => broke("the page crashed; most often it is out of memory"));
    page.on("response", (answer) => void (answer.ok() || broke(`${answer.url()}: ${answer.status()}`)));
    page.on("console", (message) => console.error(`page: ${message.text()}`));
    let over = false;
    const hear = async (message: Message): Promise<void> => {
      if (over) return;
      over = message.type === "end" || message.type === "failed";
      await tell(message);
      if (over) resolve();
    };
    // A worker's error comes twice, from the browser and from its page, in either order.
    page.on("pageerror", ({ stack, message }) => {
      hear({ type: "failed", reason: `an error that nothing caught: ${stack ?? message}` }).catch(reject);
    });
    const open = async (): Promise<void> => {
      await page.exposeFunction("tell", hear);
      await page.goto(url, { waitUntil: "commit" });
    };
    open().catch(reject);
  });
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
