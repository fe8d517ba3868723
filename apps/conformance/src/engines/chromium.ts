// The kit in a page or a module worker of headless Chromium, under a policy as strict as the backend bears.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import { type Message, toQuery } from "../job.ts";
import { pageFolder } from "../paths.ts";
import { type Engine, Missing } from "./engine.ts";
import { serve } from "./serve.ts";

/** What Chromium would otherwise do over the network by itself. */
const quiet = [
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @param folder has page.js and what it loads */
export const chromiumEngine =
  (kind: "page" | "worker", { folder = pageFolder, flags = [] as readonly string[] } = {}): Engine =>
  async (job, { scriptSources = [] }, tell) => {
    const executablePath = findChromium();
    const server = await serve(folder, ["'self'", ...scriptSources]);
    const browser = await chromium.launch({ executablePath, args: [...quiet, ...flags] });
    try {
      const page = await browser.newPage();
      await new Promise<void>((resolve, reject) => {
        page.on("crash", () => reject(new Error("the page crashed; most often it is out of memory")));
        page.on("pageerror", (error) =>
          reject(new Error(`an error that nothing caught: ${error.stack ?? error.message}`)),
        );
        page.on(
          "response",
          (answer) => answer.ok() || reject(new Error(`${answer.url()}: ${answer.status()}`)),
        );
        browser.on("disconnected", () => reject(new Error("the browser ended")));
        page.on("console", (message) => console.error(`${kind}: ${message.text()}`));
        const told = async (message: Message): Promise<void> => {
          await tell(message);
          if (message.type === "end" || message.type === "failed") resolve();
        };
        page
          .exposeFunction("tell", told)
          .then(() =>
            page.goto(`${server.url}?${toQuery(job)}${kind === "worker" ? "&worker" : ""}`, {
              waitUntil: "commit",
            }),
          )
          .catch(reject);
      });
    } finally {
      await browser.close();
      server.close();
    }
  };

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
