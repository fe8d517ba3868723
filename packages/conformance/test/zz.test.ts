import { it } from "vitest";
import { conformance, runAll } from "../src/index.ts";
import { openReference } from "./reference-backend.ts";
it("all", async () => {
  const s = await runAll(conformance({ open: () => openReference() }), (o) => console.log(o.law, o.passed, o.comparisons, o.vacuous, o.milliseconds, o.skipped.join(), o.failure ?? ""));
  console.log({ ...s, outcomes: 0 });
}, 600000);
