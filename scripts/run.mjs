// Behind every root command: installs and builds what the command needs (all of that on stderr), then runs it, so that
// stdout and the exit code are the program's own. `node scripts/run.mjs COMMAND [ARGUMENTS]`
import { makeGl } from "./gl.mjs";
import { prepare } from "./prepare.mjs";
import { runProgram } from "./program.mjs";
import { runSteps } from "./steps.mjs";

/**
 * @typedef {object} Command
 * @property {string[]} [build] what to build first, as turbo's filters
 * @property {string[]} run the program and its first arguments
 * @property {Record<string, string>} [env]
 */

const everything = ["./packages/*", "./apps/*"];
const bench = { build: ["@recurra/bench"], run: ["apps/bench/dist/bench.js"] };

const commands = {
  bench,
  start: { ...bench, run: [...bench.run, "--short", "--backend", "wasm,cpu"] },
  conformance: { build: ["@recurra/conformance-app"], run: ["apps/conformance/dist/conformance.js"] },
  learn: { build: ["@recurra/learn"], run: ["apps/learn/dist/learn.js"] },
  recurra: { build: ["recurra"], run: ["packages/recurra/dist/cli.js"] },
  mutants: { build: ["@recurra/conformance-app"], run: ["apps/conformance/dist/mutants.js"] },
  packaging: { build: ["./packages/*", "@recurra/packaging"], run: ["apps/packaging/dist/packaging.js"] },
  unit: { build: everything, run: ["vitest", "run"] },
  soak: { build: everything, run: ["vitest", "run"], env: { RECURRA_SOAK: "1" } },
  types: { run: ["tsc", "--build", "tsconfig.neutral.json", "tsconfig.json"] },
  lint: { run: ["eslint", "."] },
  direction: { run: ["depcruise", "packages", "apps", "scripts"] },
  format: { run: ["prettier", "--check", "--log-level", "warn", "."] },
  "format:write": { run: ["prettier", "--write", "--log-level", "warn", "."] },
};

/** What `npm test` runs, the longest first. */
const test = {
  unit: commands.unit,
  packaging: commands.packaging,
  mutants: commands.mutants,
  lint: commands.lint,
  types: commands.types,
  format: commands.format,
  direction: commands.direction,
};

async function main() {
  const [name = "", ...args] = process.argv.slice(2);
  if (name === "test") {
    await prepare(everything);
    return runSteps(test);
  }
  if (name === "build") {
    await prepare(everything);
    return 0;
  }
  if (name === "gl") {
    await prepare([]);
    return makeGl();
  }
  /** @type {Command | undefined} */
  const command = Object.entries(commands).find(([known]) => known === name)?.[1];
  if (!command) {
    throw new Error(
      `unknown command "${name}"; there are: ${Object.keys(commands).join(", ")}, test, build, gl`,
    );
  }
  await prepare(command.build ?? []);
  return runProgram([...command.run, ...args], command.env);
}

main().then(
  (exitCode) => (process.exitCode = exitCode),
  (error) => {
    console.error(`recurra: ${error.message}`);
    process.exitCode = 1;
  },
);
