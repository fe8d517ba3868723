// The command line's words: `conformance --backend cpu --engine worker`.
import { oneOf, readWords, UsageError } from "../../../scripts/command.mjs";
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

/** @param own the major version of the Node that runs this, whose engine is the default */
export function parseArgs(
  argv: readonly string[],
  backends: Registry,
  own = process.versions.node.split(".")[0],
): Request {
  const words = flags(argv, backends);
  const backend = oneOf("--backend", words.backend, Object.keys(backends));
  const entry = backends[backend]!;
  const engine = oneOf("--engine", words.engine ?? `node${own}`, engineNames);
  if (!entry.engines.includes(engine))
    throw new UsageError(
      `--engine ${engine}: ${backend} doesn't run there; it runs in ${entry.engines.join(", ")}`,
    );

  const modes = Object.entries(entry.modes ?? {})
    .filter(([, where]) => where.includes(engine))
    .map(([name]) => name);
  const mode =
    words.mode === undefined ? modes[0] : oneOf("--mode", words.mode, modes, ` of ${backend} in ${engine}`);
  const variants = entry.variants ?? [];
  const variant =
    words.variant === undefined ? undefined : oneOf("--variant", words.variant, variants, ` of ${backend}`);

  const job = { backend, mode, variant };
  return { label: labelOf(job, entry), job, entry: inMode(entry, mode), engine };
}

function flags(argv: readonly string[], backends: Registry) {
  const usage = `conformance --backend ${Object.keys(backends).join("|")} [--engine ${engineNames.join("|")}] [--mode M] [--variant V]`;
  const text = { type: "string" } as const;
  const options = { backend: text, engine: text, mode: text, variant: text };
  const { backend, ...others } = readWords({ args: [...argv], options }, usage).values;
  if (backend === undefined) throw new UsageError(`--backend is missing\n${usage}`);
  return { ...others, backend };
}
