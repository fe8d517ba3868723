// Installs and builds what a command needs, with nothing but Node and npm on the machine, and writes to stderr only.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cache, root } from "./environment.mjs";
import { withLock } from "./lock.mjs";
import { run } from "./program.mjs";

/**
 * Installs if a manifest or the lockfile has changed since the last time, then builds.
 * @param {string[]} filters what to build, as turbo's filters; what it depends on is built too
 */
export async function prepare(filters) {
  const announce = () => console.error("recurra: waiting for another command to install and build");
  const work = async () => {
    await install();
    if (filters.length > 0) await build(filters);
  };
  await withLock(join(cache, "lock"), work, announce);
}

async function install() {
  const marker = join(cache, "installed");
  const wanted = fingerprint();
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return;
  await pnpm("install", ["install", "--frozen-lockfile"]);
  mkdirSync(cache, { recursive: true });
  writeFileSync(marker, wanted);
}

/** @param {string[]} filters */
async function build(filters) {
  const options = ["--output-logs=errors-only", ...filters.map((filter) => `--filter=${filter}`)];
  await pnpm("build", ["exec", "turbo", "run", "build", ...options]);
}

/** What decides what is installed: the platform (of native binaries), the lockfile and every manifest. */
function fingerprint() {
  const manifests = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name, "package.json")),
  );
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  for (const file of ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml", ...manifests]) {
    if (existsSync(join(root, file))) hash.update(`\n${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

/**
 * Runs the exact pnpm of `packageManager`, which needn't be installed.
 * @param {string} what for the message when it fails
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
export async function pnpm(what, args, env) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const command = ["npx", "-y", packageManager, ...args];
  const { code, signal } = await run(command, { env, stdio: ["ignore", 2, 2] });
  if (code !== 0) throw new Error(`${what} failed (${signal ?? `exit code ${code}`}): ${command.join(" ")}`);
}
