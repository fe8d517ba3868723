// Counts what the garbage collector does during warm steps of a stream, in a process of its own:
// `node --max-semi-space-size=1 --expose-gc allocations.js BACKEND NETWORK into|fresh STEPS` prints one line of JSON.
//
// The collector's runs are what shows an allocation: with a new space of 1 MB, five bytes a step are one run in 200,000 steps.
// Differences of `heapUsed` show nothing, since V8 fills and moves whole pages.
import { type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { createModel, type Frame, type SyncBackend } from "@recurra/core";
import { backends } from "./backends.ts";
import { streamed } from "./streamed.ts";

export interface Collections {
  /** How often the collector ran. */
  readonly collections: number;
  readonly steps: number;
  readonly milliseconds: number;
}

/** Enough for V8 to have optimized all that a step runs. */
const warmSteps = 20_000;

const [backendName = "", networkName = "", way = "into", stepsWord = "200000"] = process.argv.slice(2);
const { network, batch, frame, into } = streamed[networkName]!();
const backend = (await backends[backendName]!.open({})) as SyncBackend;
const stream = createModel(network, backend).stream({ batch });

/** A function for each way, so that V8 optimizes each for itself. */
const ways: Record<string, (steps: number) => void> = {
  into(steps) {
    for (let i = 0; i < steps; i++) stream.step(frame, into);
  },
  // What the test must be able to see: the same steps, each with an array of its own.
  fresh(steps) {
    for (let i = 0; i < steps; i++) kept = stream.step(frame);
  },
};
let kept: Frame | undefined;

const entries: PerformanceEntry[] = [];
const observer = new PerformanceObserver((list) => void entries.push(...list.getEntries()));
observer.observe({ entryTypes: ["gc"] });
/** Entries come in a later turn of the event loop. */
const settle = () => sleep(50);

const run = ways[way]!;
run(warmSteps);
await settle();
// What warming up has left mustn't be what fills the space.
(globalThis.gc as (options: { type: "minor" }) => void)({ type: "minor" });
run(warmSteps);
await settle();

const steps = Number(stepsWord);
const begun = performance.now();
run(steps);
const ended = performance.now();
await settle();

const collections = entries.filter(({ startTime }) => startTime >= begun && startTime <= ended).length;
console.log(JSON.stringify({ collections, steps, milliseconds: ended - begun } satisfies Collections));
if (kept) stream.dispose();
