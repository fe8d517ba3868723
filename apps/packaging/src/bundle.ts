// What a user's bundler makes of the published packages.
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";

export interface Bundle {
  /** File name → code; the first is the entry's. */
  readonly files: ReadonlyMap<string, string>;
  /** Bytes, minified, of the entry and what it imports: what is loaded at once. What it may import later isn't counted. */
  readonly minified: number;
  /** Bytes, minified and gzipped. */
  readonly gzipped: number;
  /** The modules of which anything is left in the bundle, by path. */
  readonly modules: readonly string[];
}

/**
 * Bundles one entry of the folder with Vite, minified.
 * @param external what is left out, to be imported by the bundle
 */
export async function bundle(
  folder: string,
  entry: string,
  external: readonly string[] = [],
): Promise<Bundle> {
  const result = await build({
    root: folder,
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: true,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: {
        input: join(folder, entry),
        preserveEntrySignatures: "strict",
        external: [...external],
      },
    },
  });
  if (!("output" in result)) throw new Error("expected Vite to return one build");
  const chunks = result.output.filter((file) => file.type === "chunk");
  const first = chunks.find((chunk) => chunk.isEntry);
  if (!first) throw new Error("expected a chunk of the entry, got none");
  const atOnce = new Set([first]);
  for (const { imports } of atOnce)
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) atOnce.add(chunk);
  const sum = (sizeOf: (code: string) => number): number =>
    [...atOnce].reduce((total, { code }) => total + sizeOf(code), 0);
  return {
    files: new Map([first, ...chunks].map(({ fileName, code }) => [fileName, code])),
    minified: sum((code) => Buffer.byteLength(code)),
    gzipped: sum((code) => gzipSync(code, { level: 9 }).length),
    modules: [...atOnce].flatMap(({ modules }) =>
      Object.entries(modules)
        .filter(([, { renderedLength }]) => renderedLength > 0)
        .map(([id]) => id),
    ),
  };
}
