// Contexts lost in a page of headless Chromium.
import { backends, inMode } from "../backends.ts";
import { inPage } from "../engines/in-page.ts";
import { lostFolder } from "../paths.ts";
import type { LoseContext, OpenMany } from "./page.ts";

/** What the page's function of this name answers. */
const ask = <R>(mode: "webgl2" | "webgpu", call: string): Promise<R> =>
  inPage(lostFolder, inMode(backends.gpujs!, mode), async (page, url) => {
    await page.goto(url);
    await page.waitForFunction("globalThis.openMany");
    return page.evaluate<R>(call);
  });

export const loseInChromium: LoseContext = (mode) => ask(mode, `loseContext("${mode}")`);

export const openManyInChromium: OpenMany = (mode, others) => ask(mode, `openMany("${mode}", ${others})`);
