// A context lost in a page of headless Chromium.
import { backends, inMode } from "../backends.ts";
import { inPage } from "../engines/in-page.ts";
import { lostFolder } from "../paths.ts";
import type { LoseContext } from "./page.ts";

export const loseInChromium = (mode: Parameters<LoseContext>[0]): ReturnType<LoseContext> =>
  inPage(lostFolder, inMode(backends.gpujs!, mode), async (page, url) => {
    await page.goto(url);
    await page.waitForFunction("globalThis.loseContext");
    return page.evaluate<Awaited<ReturnType<LoseContext>>>(`loseContext("${mode}")`);
  });
