// The kit in a process of its own: `node node.js JOB`, with a channel to the parent.
import type { Job } from "../job.ts";
import { runKit } from "./run.ts";

// The parent is gone, or has heard enough.
process.on("disconnect", () => process.exit());

const job = JSON.parse(process.argv[2] ?? "{}") as Job;
await runKit(job, `Node ${process.version}`, (message) => {
  process.send?.(message);
});
