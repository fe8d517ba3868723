// Backends in a page with a strict policy. `script-src 'self'` lets gpu.js's kernels run on WebGL and WebGPU; it refuses WebAssembly
// with what to use instead, and 'wasm-unsafe-eval' lets that in, with a module made ahead of time from its address, or compiled there;
// `worker-src blob:` lets its threads in.
import { describe, expect, test } from "vitest";
import { backends, inMode, type Entry } from "../src/backends.ts";
import { engines } from "../src/engines/index.ts";
import type { Job, Message } from "../src/job.ts";
import { chromiumIsHere } from "./chromium-here.ts";

/** Enough of the kit: the other laws are for `npm run conformance`. */
const laws = 3;

async function firstOutcomes(job: Job, entry: Entry, engine: "chromium" | "worker" = "chromium") {
  const outcomes: Extract<Message, { type: "outcome" }>["outcome"][] = [];
  const enough = engines[engine](job, entry, (message) => {
    if (message.type === "start") expect(message.evalAllowed).toBe(false);
    if (message.type === "outcome" && outcomes.push(message.outcome) === laws) throw new Error("enough");
  });
  await enough.catch((error: unknown) => {
    if (outcomes.length < laws) throw error;
  });
  return outcomes;
}

describe.skipIf(!(await chromiumIsHere()))("in a strict page", { timeout: 180_000 }, () => {
  const wasm = backends.wasm!;
  const onWasm = (variant: string | undefined, entry = wasm) =>
    firstOutcomes({ backend: "wasm", variant }, entry);
  const ways = [["compiled there", undefined], ["made ahead of time", "prebuilt"]] as const; // prettier-ignore

  test.each(ways)("a module %s is refused with what to use instead", async (_, variant) => {
    const outcomes = await onWasm(variant, { ...wasm, scriptSources: [] });
    expect(outcomes).toHaveLength(laws);
    for (const { passed, failure } of outcomes) {
      expect(passed).toBe(false);
      expect(failure).toMatch(/UNSUPPORTED|RecurraError/);
      expect(failure).toMatch(/Content Security Policy/i);
      expect(failure).toContain("use openCpu() of @recurra/backend-cpu");
    }
  });

  test.each(ways)("a module %s runs where 'wasm-unsafe-eval' is allowed", async (_, variant) => {
    const outcomes = await onWasm(variant);
    expect(outcomes).toHaveLength(laws);
    for (const { passed, comparisons } of outcomes) {
      expect(passed).toBe(true);
      expect(comparisons).toBeGreaterThan(0);
    }
  });

  test("threads run where workers may come from blobs, and nowhere else", async () => {
    const allowed = await onWasm("threads");
    expect(allowed.map(({ passed }) => passed)).toEqual([true, true, true]);
    const refused = await onWasm("threads", { ...wasm, workerSources: [] });
    expect(refused).toHaveLength(laws);
    for (const { failure } of refused) expect(failure).toContain("expected 2 threads, got wasm");
  });

  test.each([
    ["webgl2", "page", "chromium"],
    ["webgl2", "worker", "worker"],
    ["webgpu", "page", "chromium"],
    ["webgpu", "worker", "worker"],
  ] as const)("kernels of gpu.js run in mode %s in a %s without an exception", async (mode, _, engine) => {
    const { scriptSources, ...gpujs } = inMode(backends.gpujs!, mode);
    expect(scriptSources).toBeUndefined();
    const outcomes = await firstOutcomes({ backend: "gpujs", mode }, gpujs, engine);
    expect(outcomes.map(({ passed }) => passed)).toEqual([true, true, true]);
  });
});
