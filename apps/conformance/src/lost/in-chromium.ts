// A context lost in a page of headless Chromium.
import { backends } from "../backends.ts";
import { inPage } from "../engines/in-page.ts";
import { lostFolder } from "../paths.ts";
import type { LoseContext } from "./page.ts";

export const loseInChromium = (): ReturnType<LoseContext> =>
  inPage(lostFolder, backends.gpujs!, async (page, url) => {
    await page.goto(url);
    await page.waitForFunction("globalThis.loseContext");
    return page.evaluate<Awaited<ReturnType<LoseContext>>>("loseContext()");
  });
