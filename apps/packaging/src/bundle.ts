// What a user's bundler makes of the published packages.
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";

export interface Bundle {
  readonly code: string;
  /** Bytes, minified. */
  readonly minified: number;
  /** Bytes, minified and gzipped. */
  readonly gzipped: number;
  /** The modules of which anything is left in the bundle, by path. */
  readonly modules: readonly string[];
}

/** Bundles one entry of the folder with Vite, minified, into one file. */
export async function bundle(folder: string, entry: string): Promise<Bundle> {
  const result = await build({
    root: folder,
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: true,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: { input: join(folder, entry), preserveEntrySignatures: "strict" },
    },
  });
  if (!("output" in result)) throw new Error("expected Vite to return one build");
  const chunks = result.output.filter((file) => file.type === "chunk");
  const [chunk] = chunks;
  if (!chunk || chunks.length > 1) throw new Error(`expected one chunk, got ${String(chunks.length)}`);
  return {
    code: chunk.code,
    minified: Buffer.byteLength(chunk.code),
    gzipped: gzipSync(chunk.code, { level: 9 }).length,
    modules: Object.entries(chunk.modules)
      .filter(([, { renderedLength }]) => renderedLength > 0)
      .map(([id]) => id),
  };
}
