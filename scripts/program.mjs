// Starts one program in the repository's root and waits for it.
import { spawn } from "node:child_process";
import { environment, root } from "./environment.mjs";

/** @typedef {import("node:child_process").ChildProcess} ChildProcess */

/**
 * Starts a program; one that is a file ending in .js is run by this very Node, any other is looked up on PATH.
 * @param {readonly string[]} command
 * @param {{ env?: Record<string, string>, stdio?: import("node:child_process").StdioOptions }} [options]
 * @returns {ChildProcess}
 */
export function start([program = "", ...args], { env = {}, stdio = "inherit" } = {}) {
  const isScript = program.endsWith(".js");
  return spawn(isScript ? process.execPath : program, isScript ? [program, ...args] : args, {
    cwd: root,
    env: { ...environment, ...env },
    stdio,
    // On Windows the programs of node_modules/.bin are command files, which only a shell starts.
    shell: !isScript && process.platform === "win32",
  });
}

/**
 * @param {ChildProcess} child
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
export function ended(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

/**
 * Runs a program to its end; signals sent to us are its own meanwhile.
 * @param {readonly string[]} command
 * @param {Parameters<typeof start>[1]} [options]
 */
export async function run(command, options) {
  const child = start(command, options);
  const stop = forwardSignals([child]);
  try {
    return await ended(child);
  } finally {
    stop();
  }
}

/**
 * Runs a program as if it had been started itself: its stdio, its exit code, and its death by a signal.
 * @param {readonly string[]} command
 * @param {Record<string, string>} [env]
 * @returns {Promise<number>} the exit code
 */
export async function runProgram(command, env) {
  const { code, signal } = await run(command, { env });
  // Die as the program died, so that a shell sees an interrupt as one.
  if (signal) process.kill(process.pid, signal);
  return code ?? 1;
}

/**
 * Hands SIGINT and SIGTERM on to the programs in `children`, a list that may change, instead of dying of them.
 * @param {Iterable<ChildProcess>} children
 * @returns {() => void} ends it
 */
export function forwardSignals(children) {
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // A terminal interrupts the children itself; a second interrupt would read as impatience.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    for (const child of children) child.kill(signal);
  };
  process.on("SIGINT", forward).on("SIGTERM", forward);
  // npm hands a signal to its shell, which dies without handing it on.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event && process.ppid !== parent) forward("SIGTERM");
  }, 500);
  return () => {
    process.off("SIGINT", forward).off("SIGTERM", forward);
    clearInterval(watch);
  };
}
