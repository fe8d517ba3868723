// An audio worklet in headless Chromium: an LSTM of 128 units steps through every block, with the bits of the page's own thread, and
// allocates nothing.
import { describe, expect, test } from "vitest";
import { renderInWorklet } from "../src/worklet/render.ts";
import { chromiumIsHere } from "./chromium-here.ts";

describe.skipIf(!(await chromiumIsHere()))("in an audio worklet", { timeout: 120_000 }, () => {
  test.each([
    ["compiled there", false],
    ["made ahead of time", true],
  ])("a stream with a module %s allocates nothing", async (_, prebuilt) => {
    const rendered = await renderInWorklet({ prebuilt, fresh: false });
    expect(rendered).toEqual({ blocks: 67_500, different: 0, silent: false, allocated: 0 });
  });

  test("a stream whose steps return arrays of their own is noticed", async () => {
    const { allocated, blocks } = await renderInWorklet({ prebuilt: true, fresh: true });
    // An array has more than 100 bytes, and a third of the blocks are measured.
    expect(allocated).toBeGreaterThan((100 * blocks) / 3);
  });
});
