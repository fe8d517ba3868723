import { describe, expect, it } from "vitest";
import { extremes, functions } from "../src/laws/functions.ts";
import { kernelLaws } from "../src/laws/kernels.ts";
import { memory } from "../src/laws/memory.ts";
import { lawOf } from "../src/law.ts";
import { openReference } from "./reference-backend.ts";

describe("laws of kernels on the reference backend", () => {
  for (const statement of [memory, ...kernelLaws, functions, extremes])
    it(statement.name, async () => {
      const setting = { open: openReference, scale: 1, seed: 1, sizes: "both", memo: new Map() } as const;
      const outcome = await lawOf(statement, setting, "kernel").run();
      console.log(outcome);
      expect(outcome.failure).toBeUndefined();
    });
});
