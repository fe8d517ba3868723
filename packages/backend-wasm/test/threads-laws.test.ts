// The laws, with every launch of every program shared out that can be, however small.
import { describeConformance } from "@recurra/conformance";
import { describe, it } from "vitest";
import { given, open } from "../src/open.ts";
import { startCrew } from "../src/threads/start.ts";

const openAlways = async () => open(undefined, await startCrew(given, 2, undefined, { always: true }));

// What the backend is without its optional members has no threads.
describeConformance({ describe, it }, "wasm(threads=2), all shared out", openAlways, { variants: false });
