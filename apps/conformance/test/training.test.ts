// `fit` in headless Chromium: it learns in a worker and on a page's own thread, to the same bits, and the page has its turns.
import { describe, expect, test } from "vitest";
import { trainInChromium } from "../src/training/in-chromium.ts";
import { chromiumIsHere } from "./chromium-here.ts";

describe.skipIf(!(await chromiumIsHere()))("fit in a page", { timeout: 120_000 }, () => {
  test("learns in a worker as on the page's own thread, which stays alive", async () => {
    const { page, worker } = await trainInChromium();
    expect(worker.steps).toBe(3 * 23);
    expect(worker.losses[2]).toBeLessThan(0.5 * (worker.losses[0] as number));
    const { turns, ...trained } = page;
    expect(worker).toEqual({ ...trained, turns: worker.turns });
    // A timer fires after 4 ms at the least, and a batch may take less; without turns of its own none would fire at all.
    expect(turns).toBeGreaterThan(5);
  });
});
