// The command line's words: `learn co2 --backend wasm --peers torch`.
import { parseArgs as parse } from "node:util";
import { backends } from "./backends.ts";
import { tasks } from "./tasks/index.ts";
import type { Task } from "./task.ts";

export interface Request {
  readonly name: string;
  readonly task: Task;
  readonly backend: string;
  /** PyTorch learns the same first. */
  readonly torch: boolean;
}

/** Words that don't exist, or don't go together: a message for people, exit code 2. */
export class UsageError extends Error {}

export const usage = `learn ${Object.keys(tasks).join("|")} [--backend ${Object.keys(backends).join("|")}] [--peers torch]`;

export function parseArgs(argv: readonly string[]): Request {
  const { words, backend, peers } = read(argv);
  const [name, ...more] = words;
  if (name === undefined) throw new UsageError(`expected what to learn\n${usage}`);
  if (more.length > 0) throw new UsageError(`expected one task, got ${words.join(" ")}\n${usage}`);
  one("task", name, Object.keys(tasks));
  one("--backend", backend, Object.keys(backends));
  const wanted = peers.split(",").filter(Boolean);
  for (const peer of wanted) one("--peers", peer, ["torch"]);
  return { name, task: tasks[name]!, backend, torch: wanted.length > 0 };
}

function read(argv: readonly string[]) {
  try {
    const { values, positionals } = parse({
      args: [...argv],
      allowPositionals: true,
      options: {
        backend: { type: "string", default: "wasm" },
        peers: { type: "string", default: "" },
      },
    });
    return { words: positionals, ...values };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage}`);
  }
}

function one(flag: string, word: string, known: readonly string[]): void {
  if (!known.includes(word))
    throw new UsageError(`${flag}: there is no "${word}"; there is ${known.join(", ")}\n${usage}`);
}
