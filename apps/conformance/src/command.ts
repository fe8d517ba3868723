// From the command line's words to results on stdout and an exit code.
import { runCommand } from "../../../scripts/command.mjs";
import { parseArgs, type Request } from "./args.ts";
import { backends, needsEval, type Registry } from "./backends.ts";
import { type Engine, Missing } from "./engines/engine.ts";
import { engines } from "./engines/index.ts";
import type { EngineName } from "./engines/names.ts";
import { type Progress, startProgress } from "./progress.ts";
import { Score } from "./score.ts";

/** What the command needs from outside; tests put in their own. */
export interface Machine {
  readonly backends: Registry;
  readonly engines: Readonly<Record<EngineName, Engine>>;
  readonly ci: boolean;
  readonly print: (line: string) => void;
  readonly progress: Progress;
}

export const thisMachine = (): Machine => ({
  backends,
  engines,
  ci: Boolean(process.env.CI),
  print: (line) => console.log(line),
  progress: startProgress(),
});

/** Resolves with the exit code: 0, 1 where something failed, 2 where the words were wrong. */
export const command = (argv: readonly string[], machine: Machine): Promise<number> =>
  runCommand(
    () => parseArgs(argv, machine.backends),
    (request) => judge(request, machine),
  );

async function judge({ label, engine, job, entry }: Request, machine: Machine): Promise<number> {
  const { progress, ci } = machine;
  const print = (line: string) => {
    progress.clear();
    machine.print(line);
  };
  const score = new Score({ label, needsEval: needsEval(entry), ci, print });
  const show = () => progress.show(`${label} in ${engine}: ${score.doing}`);
  show();
  try {
    await machine.engines[engine](job, entry, (message) => {
      score.hear(message);
      show();
    });
  } catch (error) {
    if (error instanceof Missing) score.skip(engine, error.message);
    else score.broke((error as Error).message);
  }
  return score.end() ? 0 : 1;
}
