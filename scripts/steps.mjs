// Runs the steps of `npm test`, as many at a time as there are cores, and prints each one's output whole when it ends.
import { readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { cache } from "./environment.mjs";
import { ended, forwardSignals, start } from "./program.mjs";

/**
 * @typedef {{ run: string[], env?: Record<string, string> }} Step
 * @typedef {{ name: string, seconds: number, passed: number, failed: number, skipped: number }} Result
 */

/**
 * @param {Record<string, Step>} steps
 * @returns {Promise<number>} the exit code
 */
export async function runSteps(steps) {
  const begun = performance.now();
  const waiting = Object.entries(steps);
  /** @type {Set<import("node:child_process").ChildProcess>} */
  const running = new Set();
  /** @type {Result[]} */
  const results = [];

  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      results.push(await runStep(next[0], next[1], running));
    }
  };
  const interrupt = () => (waiting.length = 0);
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  const stop = forwardSignals(running);
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  stop();

  return report(results, secondsSince(begun));
}

/**
 * @param {string} name
 * @param {Step} step
 * @param {Set<import("node:child_process").ChildProcess>} running
 * @returns {Promise<Result>}
 */
async function runStep(name, step, running) {
  const isVitest = step.run[0] === "vitest";
  const reportFile = join(cache, `${name}.json`);
  const command = isVitest
    ? [...step.run, "--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`]
    : step.run;
  rmSync(reportFile, { force: true });

  console.log(`${name}: started`);
  const begun = performance.now();
  const child = start(command, { env: step.env, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text) => (output += text));
  }
  const { code, signal } = await ended(child).catch((error) => {
    output += error.message;
    return { code: 1, signal: null };
  });
  running.delete(child);

  const seconds = secondsSince(begun);
  const ending = code === 0 ? "ended" : `FAILED (${signal ?? `exit code ${code}`})`;
  // Some programs colour their output for any CI.
  const text = process.stdout.isTTY ? output : stripVTControlCharacters(output);
  console.log(`\n──── ${name}: ${ending} after ${seconds.toFixed(1)} s ────\n${text.trimEnd()}\n`);
  const tests = isVitest ? countTests(reportFile) : { passed: 0, failed: 0, skipped: 0 };
  // A step without tests of its own counts as one; so does a test runner that failed with no failing test.
  if (code === 0 && tests.passed === 0) tests.passed = 1;
  if (code !== 0 && tests.failed === 0) tests.failed = 1;
  return { name, seconds, ...tests };
}

/** @param {string} reportFile what vitest's JSON reporter wrote, if it came so far */
function countTests(reportFile) {
  try {
    const report = JSON.parse(readFileSync(reportFile, "utf8"));
    return { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

/**
 * @param {Result[]} results
 * @param {number} seconds
 */
function report(results, seconds) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  console.log("──── what ran ────");
  for (const result of results) {
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
    const counts = `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`;
    console.log(`${result.name.padEnd(18)}${result.seconds.toFixed(1).padStart(7)} s   ${counts}`);
  }
  console.log(`${"in all".padEnd(18)}${seconds.toFixed(1).padStart(7)} s   ${total.skipped} skipped\n`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

/** @param {number} begun */
function secondsSince(begun) {
  return (performance.now() - begun) / 1000;
}
