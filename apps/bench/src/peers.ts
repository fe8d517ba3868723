// Peers are no dependencies: each is fetched on first use, by its own lockfile, into node_modules/.cache.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { benchFolder, repositoryFolder } from "./paths.ts";

/** The folders of apps/bench/peers: each has a package.json and a lockfile that pin everything it needs. */
export type Peer = "ort-node" | "ort-web" | "tfjs-cpu" | "tfjs-wasm" | "jax-js" | "brain";

const cacheOf = (peer: Peer) => join(repositoryFolder, "node_modules", ".cache", "recurra-peers", peer);

/** A module in the peer's folder: its `import` finds what was installed there. */
const LOADER = "load.mjs";

/** Installs a peer if its lockfile isn't the one that was installed last. Writes to stderr only. */
export async function fetchPeer(peer: Peer): Promise<void> {
  const from = join(benchFolder, "peers", peer);
  const to = cacheOf(peer);
  const marker = join(to, "installed");
  const lock = readFileSync(join(from, "package-lock.json"), "utf8");
  if (existsSync(marker) && readFileSync(marker, "utf8") === lock) return;

  console.error(`fetching the peer ${peer} into ${to}`);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  cpSync(from, to, { recursive: true });
  writeFileSync(join(to, LOADER), "export const load = (name) => import(name);\n");
  // No scripts: onnxruntime-node's downloads GPU libraries, brain.js's builds a native module.
  await npm(to, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(marker, lock);
}

/** Imports a module of a peer that was fetched. */
export async function loadPeer<Module>(peer: Peer, name: string): Promise<Module> {
  const url = pathToFileURL(join(cacheOf(peer), LOADER)).href;
  const { load } = (await import(url)) as { load(name: string): Promise<Module & { default?: Module }> };
  const module = await load(name);
  // What a CommonJS package exports is the default export of its module.
  return module.default ?? module;
}

async function npm(cwd: string, args: string[]): Promise<void> {
  const child = spawn("npm", args, { cwd, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`npm ${args.join(" ")} failed with exit code ${code} in ${cwd}`);
}
