// The engines by name.
import { chromiumEngine } from "./chromium.ts";
import type { Engine } from "./engine.ts";
import type { EngineName } from "./names.ts";
import { nodeEngine } from "./node.ts";

export const engines: Readonly<Record<EngineName, Engine>> = {
  node20: nodeEngine("20"),
  node22: nodeEngine("22"),
  node24: nodeEngine("24"),
  chromium: chromiumEngine("page"),
  worker: chromiumEngine("worker"),
};
