// A system's own process: it makes the data itself, from the same seed as all others, and does as it is told.
import { readData } from "./read-data.ts";
import type { Answer, Request } from "./protocol.ts";
import { type Prepared, Unable } from "./system.ts";
import { entryOf, parseSystemName } from "./systems/index.ts";
import { workloads } from "./workloads.ts";

let prepared: Prepared | undefined;

async function answer(request: Request): Promise<Answer> {
  if (request.type === "round") {
    if (!prepared) throw new Error("a round before prepare");
    return { type: "round", round: await prepared.round(request.ms) };
  }
  const name = parseSystemName(request.system);
  const workload = workloads.find(({ name }) => name === request.workload);
  const entry = entryOf(name);
  if (!workload || !entry) throw new Error(`no such job: ${JSON.stringify(request)}`);
  const system = await entry.load();
  const { kind } = request;
  prepared = await system.prepare({ workload, kind, data: readData(workload, kind), variant: name.variant });
  const { results, accuracy } = prepared;
  return { type: "shown", shown: { results, ...(accuracy && { accuracy }) } };
}

function failure(error: unknown): Answer {
  if (error instanceof Unable) return { type: "unable", reason: error.message };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { type: "error", message: message.split("\n").slice(0, 3).join("\n") };
}

process.on("message", (request: Request) => {
  void answer(request)
    .catch(failure)
    .then((message) => process.send?.(message));
});
// The parent is gone.
process.on("disconnect", () => process.exit());
