// The command line's words: `bench --backend cpu --workload A,B --kind forward --peers ort-node --seconds 2 --json`.
import { oneOf, readWords, UsageError } from "../../../scripts/command.mjs";
import { backends, parseSystemName, peers, type Entry, type SystemName } from "./systems/index.ts";
import { type Kind, type Workload, workloads } from "./workloads.ts";

export interface Options {
  /** The backends in the order given, then the peers. Ratios are to the first. */
  readonly systems: readonly SystemName[];
  readonly workloads: readonly Workload[];
  readonly kind: Kind;
  /** Seconds of timing for each system and workload. */
  readonly seconds: number;
  readonly json: boolean;
}

export const usage = `bench [--backend ${Object.keys(backends).join(",")}] [--workload ${names(workloads).join(",")}]
      [--kind forward|gradient|train] [--peers ${Object.keys(peers).join(",")}]
      [--seconds 2] [--short] [--json]`;

export function parseArgs(argv: readonly string[]): Options {
  const { backend, workload, kind: kindWord, peers: peerWords, seconds, short, json } = flags(argv);
  const kind = oneOf("--kind", kindWord, ["forward", "gradient", "train"]);
  return {
    systems: [
      ...systems("--backend", backend, backends),
      ...(peerWords === undefined ? [] : systems("--peers", peerWords, peers)),
    ],
    workloads: pickWorkloads(workload, kind),
    kind,
    seconds: parseSeconds(seconds ?? (short ? "0.5" : "2")),
    json,
  };
}

const flags = (argv: readonly string[]) =>
  readWords(
    {
      args: [...argv],
      options: {
        backend: { type: "string", default: "cpu" },
        workload: { type: "string" },
        kind: { type: "string", default: "forward" },
        peers: { type: "string" },
        seconds: { type: "string" },
        short: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    },
    usage,
  ).values;

function systems(flag: string, words: string, known: Readonly<Record<string, Entry>>): SystemName[] {
  // An empty list is a list: `--backend=` runs the peers alone.
  return words
    .split(",")
    .filter(Boolean)
    .map((word) => {
      const name = parseSystemName(word);
      const base = oneOf(flag, name.base, Object.keys(known));
      oneOf(flag, word, [base, ...(known[base]!.variants ?? []).map((variant) => `${base}(${variant})`)]);
      return name;
    });
}

function pickWorkloads(words: string | undefined, kind: Kind): readonly Workload[] {
  if (words === undefined) return workloads.filter(({ kinds }) => kinds.includes(kind));
  return words.split(",").map((word) => {
    oneOf("--workload", word, names(workloads));
    const workload = workloads.find(({ name }) => name === word)!;
    if (!workload.kinds.includes(kind)) {
      const able = names(workloads.filter(({ kinds }) => kinds.includes(kind)));
      throw new UsageError(`--workload ${word} has no --kind ${kind}; ${able.join(", ")} have`);
    }
    return workload;
  });
}

function parseSeconds(word: string): number {
  const seconds = Number(word);
  if (!(seconds > 0 && seconds <= 3600)) {
    throw new UsageError(`--seconds ${word}: expected a number of seconds above 0, at most 3600`);
  }
  return seconds;
}

function names(list: readonly Workload[]): string[] {
  return list.map(({ name }) => name);
}
