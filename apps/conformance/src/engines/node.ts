// The kit in a process of a Node of a certain major version: this very Node, or one fetched on first use.
import { fork } from "node:child_process";
import { askForGl } from "../../../../scripts/ask-for-gl.mjs";
import { onDisplay } from "../../../../scripts/display.mjs";
import { needsEval } from "../backends.ts";
import type { Message } from "../job.ts";
import { kitProgram, rootCommands } from "../paths.ts";
import { type Engine, Missing } from "./engine.ts";
import { fetchNode, type FetchedNode } from "./fetch-node.ts";

const [own] = process.versions.node.split(".");

export const nodeEngine =
  (major: FetchedNode, program = kitProgram): Engine =>
  async (job, entry, tell) => {
    const node = major === own ? process.execPath : await fetchNode(major);
    // As strict as the page: see scriptSources.
    const words = [node, ...(needsEval(entry) ? [] : ["--disallow-code-generation-from-strings"])];
    const headless = job.mode === "headlessgl";
    const lacking = headless && (await askForGl(rootCommands));
    if (lacking) throw new Missing(lacking);
    const [execPath, ...execArgv] = headless ? onDisplay(words) : words;
    const child = fork(program, [JSON.stringify(job)], {
      execPath,
      execArgv,
      // stdout holds the results only.
      stdio: ["ignore", 2, 2, "ipc"],
    });
    try {
      await new Promise<void>((resolve, reject) => {
        child.on("message", (message: Message) => {
          void tell(message);
          if (message.type === "end" || message.type === "failed") resolve();
        });
        child.once("error", reject);
        child.once("close", (code, signal) =>
          reject(new Error(`its process ended (${signal ?? `exit code ${code}`})`)),
        );
      });
    } finally {
      if (child.connected) child.disconnect();
    }
  };
