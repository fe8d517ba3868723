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
        if (entry.endsWith(".wasm")) {
          await checkModule(installed, entry);
          continue;
        }
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

/** A WebAssembly module is data: it isn't imported, but must be whole. */
async function checkModule(installed: string, entry: string): Promise<void> {
  const bytes = readFileSync(join(installed, "dist", entry));
  const { compile } = (
    globalThis as unknown as { WebAssembly: { compile(bytes: Uint8Array): Promise<object> } }
  ).WebAssembly;
  // What this engine lacks it can't compile; that it begins as a module does is seen everywhere.
  if (entry.includes("relaxed"))
    assert(bytes.subarray(0, 4).toString("latin1") === "\0asm", `${entry} isn't a module`);
  else await compile(bytes);
}
