// From the command line's words to a result on stdout and an exit code. All else is for stderr.
import { runCommand } from "../../../scripts/command.mjs";
import { findPython } from "../../../scripts/python.mjs";
import { parseArgs, type Request } from "./args.ts";
import { backends } from "./backends.ts";
import type { Engine } from "./experiment.ts";
import { fetchData, type DataPackage } from "./fetch.ts";
import { labOf } from "./lab.ts";
import { type Progress, startProgress } from "./progress.ts";
import { recurra } from "./recurra.ts";
import type { Outcome } from "./task.ts";
import { torch } from "./torch.ts";

/** What the command needs from outside; tests put in their own. */
export interface Machine {
  open(backend: string): Promise<Engine>;
  /** PyTorch, or why it isn't there. */
  openTorch(): Promise<Engine | string>;
  fetch(name: DataPackage, say: (message: string) => void): Promise<string>;
  readonly print: (line: string) => void;
  readonly progress: Progress;
}

export const thisMachine = (): Machine => ({
  open: async (backend) => recurra(await backends[backend]!()),
  async openTorch() {
    const found = findPython("torch");
    if (!found) return "this machine has no python3 with torch";
    return torch(found.path, await backends.cpu!());
  },
  fetch: fetchData,
  print: (line) => console.log(line),
  progress: startProgress(),
});

/** Resolves with the exit code: 0, 1 where the target was missed, 2 where the words were wrong. */
export const command = (argv: readonly string[], machine: Machine): Promise<number> =>
  runCommand(
    () => parseArgs(argv),
    (request) => learn(request, machine),
  );

async function learn(request: Request, machine: Machine): Promise<number> {
  const { name, task, backend } = request;
  const { progress, print } = machine;
  progress.say(`${name}: ${task.about}`);

  const learnOn = async (engine: Engine): Promise<Outcome> => {
    const begun = performance.now();
    try {
      const lab = labOf(engine, (data) => machine.fetch(data, progress.say), progress);
      const outcome = await task.learn(lab);
      progress.stop();
      progress.say(`${engine.name} took ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      return outcome;
    } finally {
      progress.stop();
      engine.dispose();
    }
  };

  let peer: Outcome | undefined;
  if (request.torch) {
    const engine = await machine.openTorch();
    if (typeof engine === "string") progress.say(`torch is left out: ${engine}`);
    else {
      peer = await learnOn(engine);
      print(`torch ${name}: ${peer.text}`);
    }
  }
  const own = await learnOn(await machine.open(backend));
  const missed = task.missed(own.value, peer?.value);
  if (missed !== undefined) progress.say(`${name}: the target is missed: ${missed}`);
  print(`${name}: ${own.text}`);
  return missed === undefined ? 0 : 1;
}
