// The kit in a page or a module worker of headless Chromium, under a policy as strict as the backend bears.
import type { Page } from "playwright-core";
import { type Message, type Tell, toQuery } from "../job.ts";
import { pageFolder } from "../paths.ts";
import type { Engine } from "./engine.ts";
import { inPage } from "./in-page.ts";

/** @param folder has page.js and what it loads */
export const chromiumEngine =
  (kind: "page" | "worker", { folder = pageFolder, flags = [] as readonly string[] } = {}): Engine =>
  (job, entry, tell) =>
    inPage(folder, { ...entry, chromiumFlags: [...(entry.chromiumFlags ?? []), ...flags] }, (page, url) =>
      visit(page, `${url}?${toQuery(job)}${kind === "worker" ? "&worker" : ""}`, tell),
    );

/** Opens the page and hears it, until it has said its last word or can't say any more. */
function visit(page: Page, url: string, tell: Tell): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const broke = (reason: string) => reject(new Error(reason));
    page
      .context()
      .browser()
      ?.on("disconnected", () => broke("the browser ended"));
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
