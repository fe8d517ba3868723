// The command line's words: `conformance --backend cpu --engine worker`.
import { parseArgs as parse } from "node:util";
import { inMode, type Entry, type Registry } from "./backends.ts";
import { type EngineName, engineNames } from "./engines/names.ts";
import { type Job, labelOf } from "./job.ts";

export interface Request {
  /** The backend with its mode and variant, as the results call it: "gpujs(webgl2)". */
  readonly label: string;
  readonly job: Job;
  readonly entry: Entry;
  readonly engine: EngineName;
}

/** Words that don't exist, or don't go together: a message for people, exit code 2. */
export class UsageError extends Error {}

/** @param own the major version of the Node that runs this, whose engine is the default */
export function parseArgs(
  argv: readonly string[],
  backends: Registry,
  own = process.versions.node.split(".")[0],
): Request {
  const words = flags(argv, backends);
  const backend = one("--backend", words.backend, Object.keys(backends));
  const entry = backends[backend]!;
  const engine = one("--engine", words.engine ?? `node${own}`, engineNames);
  if (!entry.engines.includes(engine))
    throw new UsageError(
      `--engine ${engine}: ${backend} doesn't run there; it runs in ${entry.engines.join(", ")}`,
    );

  const modes = Object.entries(entry.modes ?? {})
    .filter(([, where]) => where.includes(engine))
    .map(([name]) => name);
  const mode =
    words.mode === undefined ? modes[0] : one("--mode", words.mode, modes, ` of ${backend} in ${engine}`);
  const variants = entry.variants ?? [];
  const variant =
    words.variant === undefined ? undefined : one("--variant", words.variant, variants, ` of ${backend}`);

  const job = { backend, mode, variant };
  return { label: labelOf(job, entry), job, entry: inMode(entry, mode), engine };
}

function flags(argv: readonly string[], backends: Registry) {
  const usage = `conformance --backend ${Object.keys(backends).join("|")} [--engine ${engineNames.join("|")}] [--mode M] [--variant V]`;
  const text = { type: "string" } as const;
  try {
    const { values } = parse({
      args: [...argv],
      options: { backend: text, engine: text, mode: text, variant: text },
    });
    if (values.backend === undefined) throw new Error("--backend is missing");
    return { ...values, backend: values.backend };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage}`);
  }
}

function one<Word extends string>(flag: string, word: string, known: readonly Word[], whose = ""): Word {
  const found = known.find((name) => name === word);
  if (found !== undefined) return found;
  const list = known.length > 0 ? `there is ${known.join(", ")}` : "there is none";
  throw new UsageError(`${flag}: there is no "${word}"${whose}; ${list}`);
}
