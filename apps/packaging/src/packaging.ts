// The packaging test: what users get is packed, judged, installed in an empty folder, run and measured.
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, summary } from "./check.ts";
import { install } from "./consumer.ts";
import { checkEntries } from "./entries.ts";
import { checkReadme } from "./readme.ts";
import { checkSizes } from "./sizes.ts";
import { judge, pack } from "./tarballs.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const folder = realpathSync(mkdtempSync(join(tmpdir(), "recurra-packaging-")));
try {
  const tarballs = await pack(root, folder);
  for (const tarball of tarballs) await judge(tarball);

  const consumer = join(folder, "consumer");
  await check("the tarballs install in an empty folder", () => install(root, consumer, tarballs));
  await checkEntries(consumer, tarballs);
  await checkReadme(root, consumer);
  await checkSizes(consumer);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = summary();
