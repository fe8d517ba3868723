// Whether tests in Chromium can run: without one they are skipped with a message, and fail in CI.
import { findChromium } from "../src/engines/in-page.ts";

export function chromiumIsHere(): boolean {
  try {
    findChromium();
    return true;
  } catch (error) {
    if (process.env.CI) throw error;
    console.warn(`skipped: ${(error as Error).message}`);
    return false;
  }
}
