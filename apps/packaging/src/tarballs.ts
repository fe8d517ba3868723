// Packs every public package as it would be published, and lets publint and attw judge the tarballs.
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { assert, check } from "./check.ts";
import { run } from "./process.ts";

export interface Tarball {
  readonly name: string;
  /** Path of the .tgz. */
  readonly file: string;
}

/** Packs every package below `packages/` with the repository's exact pnpm, into `into`. */
export async function pack(root: string, into: string): Promise<Tarball[]> {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    packageManager: string;
  };
  const options = ["--filter", "./packages/*", "pack", "--json", "--pack-destination", into];
  const printed = await run(root, "npx", "-y", packageManager, ...options);
  const packed = JSON.parse(printed) as { name: string; filename: string }[];
  return packed.map(({ name, filename }) => ({ name, file: filename }));
}

export async function judge({ name, file }: Tarball): Promise<void> {
  const bytes = new Uint8Array(readFileSync(file));

  await check(`${name}: publint`, async () => {
    const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
    // Where the repository will be published isn't settled.
    const serious = messages.filter(({ type }) => type !== "suggestion");
    assert(serious.length === 0, serious.map((message) => formatMessage(message, pkg)).join("; "));
  });

  await check(`${name}: attw`, async () => {
    const result = await checkPackage(createPackageFromTarballData(bytes));
    assert(result.types !== false, "the package has no types");
    // ESM only: resolution as in Node 10, and `require` without Node's support for it, aren't promised.
    // Modules of WebAssembly are data, without types.
    const promised = result.problems.filter(
      (problem) =>
        (!("resolutionKind" in problem) || ["node16-esm", "bundler"].includes(problem.resolutionKind)) &&
        !("entrypoint" in problem && problem.entrypoint.endsWith(".wasm")),
    );
    assert(promised.length === 0, JSON.stringify(promised));
  });
}
