// A system in a process of its own, seen from the parent.
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onDisplay } from "../../../scripts/display.mjs";
import type { Answer, Request } from "./protocol.ts";
import { type Shown, Unable } from "./system.ts";
import type { Round } from "./timing.ts";
import type { Kind } from "./workloads.ts";

/** One system with one workload, ready to be timed. */
export interface Worker {
  /** Resolves with what is to be checked; rejects with Unable where the system can't run here. */
  prepare(system: string, workload: string, kind: Kind): Promise<Shown>;
  round(ms: number): Promise<Round>;
  stop(): void;
}

// Built, this file is a part of dist/bench.js; from sources it needs a loader for TypeScript, which fork passes on.
const childFile = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "child.ts" : "child.js", import.meta.url),
);

/** @param display whether it wants an X display */
export function startProcess(display = false): Worker {
  const own = [process.execPath, ...process.execArgv];
  const [execPath, ...execArgv] = display ? onDisplay(own) : own;
  // stdout holds the benchmark's results only: what a library prints goes to stderr.
  const child = fork(childFile, {
    execPath,
    execArgv,
    serialization: "advanced",
    stdio: ["ignore", 2, 2, "ipc"],
  });
  return {
    async prepare(system, workload, kind) {
      const answer = await ask(child, { type: "prepare", system, workload, kind });
      if (answer.type === "shown") return answer.shown;
      throw unexpected(answer);
    },
    async round(ms) {
      const answer = await ask(child, { type: "round", ms });
      if (answer.type === "round") return answer.round;
      throw unexpected(answer);
    },
    stop() {
      // A display that was made for it ends when it has ended by itself, as it does when nobody listens any more.
      if (!display) child.kill();
      else if (child.connected) child.disconnect();
    },
  };
}

/** One question at a time. */
function ask(child: ChildProcess, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onMessage = (answer: unknown) => {
      child.off("exit", onExit);
      resolve(answer as Answer);
    };
    const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
      child.off("message", onMessage);
      reject(new Error(`its process ended (${signal ?? `exit code ${code}`})`));
    };
    child.once("message", onMessage);
    child.once("exit", onExit);
    child.send(request);
  });
}

function unexpected(answer: Answer): Error {
  if (answer.type === "unable") return new Unable(answer.reason);
  return new Error(answer.type === "error" ? answer.message : `unexpected answer ${answer.type}`);
}
