// The training on a page of headless Chromium, on its own thread and in its worker.
import { inPage } from "../engines/in-page.ts";
import { trainingFolder } from "../paths.ts";
import type { TrainIn } from "./page.ts";

type Told = Awaited<ReturnType<TrainIn>>;

export const trainInChromium = (): Promise<{ readonly page: Told; readonly worker: Told }> =>
  inPage(trainingFolder, { scriptSources: ["'wasm-unsafe-eval'"] }, async (page, url) => {
    await page.goto(url);
    await page.waitForFunction("globalThis.trainIn");
    const trainIn = (place: string) => page.evaluate<Told>(`trainIn(${JSON.stringify(place)})`);
    return { page: await trainIn("page"), worker: await trainIn("worker") };
  });
