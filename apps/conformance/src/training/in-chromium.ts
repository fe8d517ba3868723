// The training on a page of headless Chromium, on its own thread and in its worker.
import { chromium } from "playwright-core";
import { findChromium, quiet } from "../engines/chromium.ts";
import { serve } from "../engines/serve.ts";
import { trainingFolder } from "../paths.ts";
import type { TrainIn } from "./page.ts";

type Told = Awaited<ReturnType<TrainIn>>;

export async function trainInChromium(): Promise<{ readonly page: Told; readonly worker: Told }> {
  const browser = await chromium.launch({ executablePath: findChromium(), args: [...quiet] });
  try {
    const server = await serve(trainingFolder, { scriptSources: ["'wasm-unsafe-eval'"] });
    try {
      const page = await browser.newPage();
      await page.goto(server.url);
      await page.waitForFunction("globalThis.trainIn");
      const trainIn = (place: string) => page.evaluate<Told>(`trainIn(${JSON.stringify(place)})`);
      return { page: await trainIn("page"), worker: await trainIn("worker") };
    } finally {
      server.close();
    }
  } finally {
    await browser.close();
  }
}
