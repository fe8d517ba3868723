// Headless GL isn't compiled by installing; whoever asks for a backend that needs it gets it compiled, by `npm run gl`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rootCommands } from "../paths.ts";
import { Missing } from "./engine.ts";

/** @throws Missing where it can't be had */
export async function makeGl(): Promise<void> {
  const [code] = (await once(
    spawn(process.execPath, [rootCommands, "gl"], { stdio: ["ignore", 2, 2] }),
    "close",
  )) as [number | null];
  if (code !== 0) throw new Missing("headless GL isn't there; what `npm run gl` said of it is above");
}
