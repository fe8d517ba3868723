// An empty folder in which the tarballs are installed, as a user's project would be.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert } from "./check.ts";
import { run } from "./process.ts";
import type { Tarball } from "./tarballs.ts";

/** Installs the tarballs with npm in the folder, and what they are peers of, with the overrides that the README gives. */
export async function install(root: string, folder: string, tarballs: readonly Tarball[]): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const [, overrides] =
    /^```json\n(.*?"overrides".*?)^```$/ms.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  assert(overrides !== undefined, "README.md has no json block with overrides");
  const manifest = {
    private: true,
    type: "module",
    dependencies: Object.fromEntries(tarballs.map(({ name, file }) => [name, `file:${file}`])),
    ...(JSON.parse(overrides) as object),
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const quick = ["--prefer-offline", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"];
  await run(folder, "npm", "install", ...quick);
  const files = readdirSync(join(folder, "node_modules"), { recursive: true, withFileTypes: true });
  const bytes = files
    .filter((file) => file.isFile())
    .reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
  // gpu.js asks for a package of 84 MB that it imports nowhere; the README says how to go without.
  assert(bytes < 20e6, `expected less than 20 MB, got ${(bytes / 1e6).toFixed(1)}`);
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
