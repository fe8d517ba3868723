// The WASM backend in a page with a strict policy: `script-src 'self'` refuses it with what to use instead, 'wasm-unsafe-eval' lets it
// in, with a module that was made ahead of time from its address, or compiled there; `worker-src blob:` lets its threads in.
import { describe, expect, test } from "vitest";
import { backends, type Entry } from "../src/backends.ts";
import { engines } from "../src/engines/index.ts";
import type { Message } from "../src/job.ts";
import { chromiumIsHere } from "./chromium-here.ts";

/** Enough of the kit: the other laws are for `npm run conformance`. */
const laws = 3;

async function firstOutcomes(entry: Entry, variant: string | undefined) {
  const outcomes: Extract<Message, { type: "outcome" }>["outcome"][] = [];
  await engines.chromium({ backend: "wasm", variant }, entry, (message) => {
    if (message.type === "outcome" && outcomes.push(message.outcome) === laws) throw new Error("enough");
  });
  return outcomes;
}

describe.skipIf(!chromiumIsHere())("in a strict page", { timeout: 60_000 }, () => {
  const wasm = backends.wasm!;
  const ways = [["compiled there", undefined], ["made ahead of time", "prebuilt"]] as const; // prettier-ignore

  test.each(ways)("a module %s is refused with what to use instead", async (_, variant) => {
    const outcomes = await firstOutcomes({ ...wasm, scriptSources: [] }, variant);
    expect(outcomes).toHaveLength(laws);
    for (const { passed, failure } of outcomes) {
      expect(passed).toBe(false);
      expect(failure).toMatch(/UNSUPPORTED|RecurraError/);
      expect(failure).toMatch(/Content Security Policy/i);
      expect(failure).toContain("use openCpu() of @recurra/backend-cpu");
    }
  });

  test.each(ways)("a module %s runs where 'wasm-unsafe-eval' is allowed", async (_, variant) => {
    const outcomes = await firstOutcomes(wasm, variant);
    expect(outcomes).toHaveLength(laws);
    for (const { passed, comparisons } of outcomes) {
      expect(passed).toBe(true);
      expect(comparisons).toBeGreaterThan(0);
    }
  });

  test("threads run where workers may come from blobs, and nowhere else", async () => {
    const allowed = await firstOutcomes(wasm, "threads");
    expect(allowed.map(({ passed }) => passed)).toEqual([true, true, true]);
    const refused = await firstOutcomes({ ...wasm, workerSources: [] }, "threads");
    expect(refused).toHaveLength(laws);
    for (const { failure } of refused) expect(failure).toContain("expected 2 threads, got wasm");
  });
});
