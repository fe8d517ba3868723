// The kit in a process of its own: `node node.js JOB`, with a channel to the parent.
import { setImmediate as turn } from "node:timers/promises";
import type { Job } from "../job.ts";
import { runKit } from "./run.ts";

/** The parent is gone, or has heard enough. */
const leave = () => process.exit();
process.on("disconnect", leave);

const job = JSON.parse(process.argv[2] ?? "{}") as Job;
await runKit(job, `Node ${process.version}`, async (message) => {
  process.send?.(message, (error: Error | null) => error && leave());
  // A synchronous backend never leaves its turn of the event loop, and that the parent is gone would go unnoticed.
  await turn();
});
