// Peers are no dependencies: each is fetched on first use, by its own lockfile, into node_modules/.cache.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installInto } from "../../../scripts/install.mjs";
import { benchFolder, cacheFolder } from "./paths.ts";

/** The folders of apps/bench/peers: each has a package.json and a lockfile that pin everything it needs. */
export type Peer = "ort-node" | "ort-web" | "tfjs-cpu" | "tfjs-wasm" | "jax-js" | "brain";

const pinsOf = (peer: Peer) => join(benchFolder, "peers", peer);

/** Another lockfile, another folder. */
function folderOf(peer: Peer): string {
  const lock = readFileSync(join(pinsOf(peer), "package-lock.json"));
  return join(cacheFolder, `${peer}-${createHash("sha256").update(lock).digest("hex").slice(0, 12)}`);
}

/** Installs a peer where it isn't there yet. Writes to stderr only. */
export async function fetchPeer(peer: Peer): Promise<void> {
  const folder = folderOf(peer);
  if (existsSync(folder)) return;
  console.error(`fetching the peer ${peer} into ${folder}`);
  await installInto(folder, ["ci"], pinsOf(peer), join(benchFolder, "loader"));
}

/** Imports a module of a peer that was fetched. */
export async function loadPeer<Module>(peer: Peer, name: string): Promise<Module> {
  const url = pathToFileURL(join(folderOf(peer), "load.mjs")).href;
  const { load } = (await import(url)) as { load(name: string): Promise<Module & { default?: Module }> };
  const module = await load(name);
  // What a CommonJS package exports is the default export of its module.
  return module.default ?? module;
}
