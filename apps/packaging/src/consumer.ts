// An empty folder in which the tarballs are installed, as a user's project would be.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./process.ts";
import type { Tarball } from "./tarballs.ts";

/** Installs the tarballs with npm in the folder. */
export async function install(folder: string, tarballs: readonly Tarball[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const manifest = {
    private: true,
    type: "module",
    dependencies: Object.fromEntries(tarballs.map(({ name, file }) => [name, `file:${file}`])),
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  await run(folder, "npm", "install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund");
}
