// Headless GL isn't compiled by installing; who asks for a system that needs it gets it compiled, by `npm run gl`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { repositoryFolder } from "./paths.ts";
import { Unable } from "./system.ts";

/** @throws Unable where it can't be had */
export async function makeGl(): Promise<void> {
  const words = [join(repositoryFolder, "scripts", "run.mjs"), "gl"];
  const child = spawn(process.execPath, words, { stdio: ["ignore", 2, 2] });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Unable("headless GL isn't there; what `npm run gl` said of it is above");
}
