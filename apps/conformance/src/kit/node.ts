// The kit in a process of its own: `node node.js JOB`, with a channel to the parent.
import { readFile } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import type { Job } from "../job.ts";
import type { FindModule } from "../module-files.ts";
import { moduleFile } from "../paths.ts";
import { runKit } from "./run.ts";

/** The parent is gone, or has heard enough. */
const leave = () => process.exit();
process.on("disconnect", leave);

const job = JSON.parse(process.argv[2] ?? "{}") as Job;
const find: FindModule = async (name) => new Response(await readFile(moduleFile(name)));
await runKit(job, `Node ${process.version}`, find, async (message) => {
  process.send?.(message, (error: Error | null) => error && leave());
  // A synchronous backend never leaves its turn of the event loop, and that the parent is gone would go unnoticed.
  await turn();
});
