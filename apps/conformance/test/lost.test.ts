// A WebGL context, or a WebGPU device, that is really lost: calls are refused, never answered with zeros, and another backend opens in
// the same page.
import { describe, expect, test } from "vitest";
import { loseInChromium, openManyInChromium } from "../src/lost/in-chromium.ts";
import { chromiumIsHere } from "./chromium-here.ts";

describe.skipIf(!(await chromiumIsHere()))("a lost context in a page", { timeout: 120_000 }, () => {
  test.each(["webgl2", "webgpu"] as const)(
    "is DEVICE_LOST for what is awaited and what comes, and another backend computes the same: %s",
    async (mode) => {
      const { lost, before, refused, after } = await loseInChromium(mode);
      expect(lost).toBeGreaterThan(0);
      expect(refused).toEqual({
        awaited: "DEVICE_LOST",
        next: "DEVICE_LOST",
        stream: "DEVICE_LOST",
        "another model": "DEVICE_LOST",
      });
      expect(before.some((value) => value !== 0)).toBe(true);
      expect(after).toEqual(before);
    },
  );

  test("doesn't come of more than the 16 that a page may have: a disposed backend gives its own back", async () => {
    const { before, after } = await openManyInChromium("webgl2", 20);
    expect(before.some((value) => value !== 0)).toBe(true);
    expect(after).toEqual(before);
  });
});
