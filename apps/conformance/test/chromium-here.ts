// Whether tests in Chromium can run.
import { isHere } from "../../../scripts/test/is-here.ts";
import { findChromium } from "../src/engines/in-page.ts";

export const chromiumIsHere = (): Promise<boolean> => isHere(() => findChromium());
