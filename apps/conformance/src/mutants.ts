// The program: `node dist/mutants.js` tries the laws on backends that are broken on purpose. Each must be caught.
import { killMutants, mutants } from "@recurra/conformance/mutants";
import { readWords, runCommand } from "../../../scripts/command.mjs";
import { backends } from "./backends.ts";
import { falseAlarms, lineOf } from "./kills.ts";
import { startProgress } from "./progress.ts";

/** The correct backend that each mutant breaks in one way. */
const open = () => backends.cpu!.open({});

async function main(): Promise<number> {
  const progress = startProgress();
  const print = (line: string) => {
    progress.clear();
    console.log(line);
  };
  let tried = 0;
  const show = () => progress.show(`mutant ${tried + 1} of ${mutants.length}`);
  show();
  const { kills } = await killMutants({
    open,
    onKill(kill) {
      print(lineOf(kill));
      tried++;
      show();
    },
  });
  const alarms = await falseAlarms(kills, open);
  for (const { failure, mutants } of alarms)
    print(`FAILED    on the unbroken backend, so that it killed nothing (${mutants.join(", ")}): ${failure}`);
  const spared = new Set(alarms.flatMap(({ mutants }) => mutants));
  const counted = kills.filter(({ mutant, small, large }) => small && large && !spared.has(mutant)).length;
  print(`killed ${counted}/${kills.length}`);
  return counted === kills.length && counted > 0 ? 0 : 1;
}

process.exitCode = await runCommand(() => readWords({ options: {} }, "mutants takes no words"), main);
