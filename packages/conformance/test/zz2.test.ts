import { it } from "vitest";
import { judgeSubject } from "../src/laws/cells.ts";
import { cells, networks } from "../src/subject.ts";
import { Tally } from "../src/law.ts";
import { openReference } from "./reference-backend.ts";
import { openCpu } from "@recurra/backend-cpu";
for (const open of [openReference, openCpu]) if (open)
it("x", async () => {
  let kept: any;
  for (const s of [...cells, ...networks]) {
    const t = new Tally((await open()).accuracy);
    const by: Record<string, number> = {}; const used: Record<string, number> = {};
    const orig = t.number.bind(t);
    let ctx = ""; const tr = t.trying.bind(t); t.trying = (c) => { ctx = c.includes("end to end") ? "e2e" : "one"; tr(c); };
    t.number = (g, e, b, name) => { const k = ctx + " " + (name().includes("d.input") ? "dx" : name().includes("d.") ? (name().includes("state") ? "dstate" : "dp") : "fwd");
      if (!(b <= 1e-3 * Math.max(1, Math.abs(e)))) { by[k] = (by[k] ?? 0) + 1; if ((by[k] ?? 0) < 2) console.log(name(), g, e, b); }
      else if (b > 0) used[k] = Math.max(used[k] ?? 0, Math.abs(g - e) / b); orig(g, e, b, name); };
    for (const size of ["small", "large"] as const) await judgeSubject(t, { open, scale: 1, seed: 1, sizes: "both", memo: new Map() }, s, size, 0).catch(e => console.log(e.message));
    console.log(s.name, by, used, t.comparisons);
  }
}, 100000);
