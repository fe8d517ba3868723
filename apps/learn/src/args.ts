// The command line's words: `learn co2 --backend wasm --peers torch`.
import { oneOf, readWords, UsageError } from "../../../scripts/command.mjs";
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

export const usage = `learn ${Object.keys(tasks).join("|")} [--backend ${Object.keys(backends).join("|")}] [--peers torch]`;

export function parseArgs(argv: readonly string[]): Request {
  const { values, positionals } = readWords(
    {
      args: [...argv],
      allowPositionals: true,
      options: {
        backend: { type: "string", default: "wasm" },
        peers: { type: "string", default: "" },
      },
    },
    usage,
  );
  const [name, ...more] = positionals;
  if (name === undefined) throw new UsageError(`expected what to learn\n${usage}`);
  if (more.length > 0) throw new UsageError(`expected one task, got ${positionals.join(" ")}\n${usage}`);
  oneOf("task", name, Object.keys(tasks));
  const backend = oneOf("--backend", values.backend, Object.keys(backends));
  const peers = values.peers.split(",").filter(Boolean);
  for (const peer of peers) oneOf("--peers", peer, ["torch"]);
  return { name, task: tasks[name]!, backend, torch: peers.length > 0 };
}
