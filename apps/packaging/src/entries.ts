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
          await checkModule(folder, name + entry.slice(1));
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

/** Runs a cell on a module that comes from the tarball, if this engine has all that the module uses. */
const onModule = (file: string, threads: number): string => `
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createModel, lstm, recurrent, stack } from "@recurra/core";
import { openWasm } from "@recurra/backend-wasm";

const bytes = readFileSync(createRequire(process.cwd() + "/").resolve(${JSON.stringify(file)}));
if (String.fromCharCode(...bytes.subarray(1, 4)) !== "asm") throw new Error("expected a module");
if (WebAssembly.validate(bytes)) {
  const backend = await openWasm({ module: new WebAssembly.Module(bytes), threads: ${threads} });
  const model = createModel(stack(recurrent(lstm, { inputSize: 3, hiddenSize: 4 })), backend, { seed: 1 });
  const { output } = model.runSync({ shape: [5, 2, 3], data: new Float32Array(30).fill(0.5) });
  console.log(output.data.every((value) => value !== 0 && Number.isFinite(value)));
} else console.log("lacking");
`;

/** A module of WebAssembly is data: it isn't imported, but given to the backend. */
async function checkModule(folder: string, file: string): Promise<void> {
  const printed = await run(
    folder,
    process.execPath,
    "--input-type=module",
    "-e",
    onModule(file, file.includes("threads") ? 2 : 1),
  );
  const expected = file.includes("relaxed") ? ["true\n", "lacking\n"] : ["true\n"];
  assert(expected.includes(printed), `${file}: expected it to run an LSTM, got ${printed}`);
}
