// Programs that want an X display get one where there is none.
import { afterEach, expect, test, vi } from "vitest";
import { onDisplay } from "../display.mjs";

afterEach(() => vi.unstubAllEnvs());

test.skipIf(process.platform !== "linux")(
  "a program is started as it is where there is a display, else on one made for it",
  () => {
    vi.stubEnv("DISPLAY", ":7");
    expect(onDisplay(["node", "a.js"])).toEqual(["node", "a.js"]);
    vi.stubEnv("DISPLAY", undefined);
    expect(onDisplay(["node", "a.js"])).toEqual(["xvfb-run", "-a", "node", "a.js"]);
  },
);
