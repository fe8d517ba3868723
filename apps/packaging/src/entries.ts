// Every entry point of every package is imported from its tarball: an import of something that isn't published, or
// isn't declared as a dependency, shows here.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { assert, check } from "./check.ts";
import { run } from "./process.ts";
import type { Tarball } from "./tarballs.ts";

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly license: string;
}

/** @param folder where the packages are installed */
export async function checkEntries(folder: string, tarballs: readonly Tarball[]): Promise<void> {
  for (const { name } of tarballs) {
    const installed = join(folder, "node_modules", name);
    await check(`${name}: every entry point can be imported`, async () => {
      const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Manifest;
      assert(
        !JSON.stringify(manifest).includes("workspace:"),
        "the published manifest has a workspace: range",
      );
      assert(
        !JSON.stringify(manifest).includes("@recurra/source"),
        "the published manifest leads to sources",
      );
      readFileSync(join(installed, "LICENSE"));
      readFileSync(join(installed, "README.md"));
      checkVendor(installed);
      const entries = Object.keys(manifest.exports).filter((entry) => entry !== "./package.json");
      for (const entry of entries) {
        const specifier = JSON.stringify(name + entry.slice(1));
        await run(folder, process.execPath, "--input-type=module", "-e", `await import(${specifier})`);
      }
      return entries.join(" ");
    });
  }
}

/** The licences of what is built in ask for their text in every copy. */
function checkVendor(installed: string): void {
  const vendor = join(installed, "dist", "vendor");
  if (!existsSync(vendor)) return;
  const licences = readFileSync(join(installed, "THIRD-PARTY.txt"), "utf8");
  for (const name of readdirSync(vendor)) {
    assert(licences.includes(name), `${name} is built in, and its licence isn't in THIRD-PARTY.txt`);
  }
}
