// The kit's run inside an engine, the same in a process, a page and a worker. Knows no platform.
import { conformance } from "@recurra/conformance";
import { backends } from "../backends.ts";
import type { Job, Tell } from "../job.ts";
import type { FindModule } from "../module-files.ts";

/** Runs every law and tells of each. A backend that can't be opened fails each law. */
export async function runKit(job: Job, engine: string, find: FindModule, tell: Tell): Promise<void> {
  try {
    const entry = backends[job.backend];
    if (!entry) throw new Error(`there is no backend ${job.backend}`);
    const laws = conformance({ open: () => entry.open(job, find) });
    await tell({ type: "start", engine, evalAllowed: evalAllowed(), laws: laws.map(({ name }) => name) });
    for (const law of laws) await tell({ type: "outcome", outcome: await law.run() });
    await tell({ type: "end" });
  } catch (error) {
    await tell({
      type: "failed",
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

function evalAllowed(): boolean {
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    new Function("");
    return true;
  } catch {
    return false;
  }
}
