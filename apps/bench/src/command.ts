// From the command line's words to rows on stdout and an exit code. stdout holds results only; the rest is for stderr.
import { availableParallelism, cpus } from "node:os";
import { askForGl } from "../../../scripts/ask-for-gl.mjs";
import { runCommand } from "../../../scripts/command.mjs";
import { type Options, parseArgs } from "./args.ts";
import { type Row, run, type Surroundings } from "./benchmark.ts";
import { computeExpected } from "./expected.ts";
import { rootCommands } from "./paths.ts";
import { fetchPeer } from "./peers.ts";
import { startProgress } from "./progress.ts";
import { Unable } from "./system.ts";
import { entryOf } from "./systems/index.ts";
import { table } from "./table.ts";
import { startProcess } from "./worker.ts";

/** What the command needs from outside; tests put in their own. */
export interface Machine extends Pick<Surroundings, "entryOf" | "start" | "fetch" | "expect"> {
  readonly name: string;
  readonly print: (line: string) => void;
}

/** The real one: systems in processes, results on stdout. */
export function thisMachine(): Machine {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  return {
    name: `${processor}, ${availableParallelism()} cores, Node ${process.versions.node}`,
    print: (line) => console.log(line),
    entryOf: (name) => entryOf(name)!,
    start: ({ headlessGl }) => startProcess(headlessGl),
    fetch: async ({ fetch, headlessGl }) => {
      if (fetch !== undefined) await fetchPeer(fetch);
      const lacking = headlessGl && (await askForGl(rootCommands));
      if (lacking) throw new Unable(lacking);
    },
    expect: computeExpected,
  };
}

/** What the table's columns mean. */
const legend = `ms: median of a call, of one step in A, less is better; time: how many times as long as the first system of the workload.
error: max |result − oracle| / max(1, |oracle|), checked against bound before anything is timed.
A: one step of a stream; B–G: LSTMs; H, I: a step of training, data, loss and Adam included; seed: the LSTM in numpy that Recurra
grew from; co2: the same on 741 months of Mauna Loa (apps/bench/README.md).`;

/** Resolves with the exit code: 0, 1 where a system was wrong or failed, 2 where the words were wrong. */
export const command = (argv: readonly string[], machine: Machine): Promise<number> =>
  runCommand(
    () => parseArgs(argv),
    (options) => measure(options, machine),
  );

async function measure(options: Options, machine: Machine): Promise<number> {
  const progress = startProgress();
  const say = (message: string) => {
    progress.clear();
    console.error(message);
  };
  const rows: Row[] = [];
  try {
    for await (const row of run(options, { ...machine, say, progress: progress.show })) {
      rows.push(row);
      if (!options.json) continue;
      progress.clear();
      machine.print(JSON.stringify(row));
    }
  } finally {
    progress.stop();
  }
  if (!options.json) machine.print(`${machine.name}\n\n${table(rows)}\n\n${legend}`);
  return rows.some(({ ms }) => ms === null) ? 1 : 0;
}
