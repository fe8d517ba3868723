// Runs are killed with SIGKILL at random moments, go on, and end with the bits of one that was never stopped.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "tsdown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkpointFile } from "../../src/node.ts";
import { derived } from "../../src/random.ts";

/** In the normal tests a hundredth. */
const kills = process.env.RECURRA_SOAK ? 100 : 1;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "recurra-kill-"));
  await build({
    config: false,
    entry: [join(import.meta.dirname, "run.ts")],
    outDir: join(folder, "built"),
    platform: "node",
    format: "esm",
    dts: false,
    logLevel: "warn",
    deps: { alwaysBundle: [/./], onlyBundle: false },
    inputOptions: { resolve: { conditionNames: ["@recurra/source", "import", "default"] } },
  });
});
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly killed: boolean;
  /** ms from ready to the end. */
  readonly ran: number;
  readonly learned: string | undefined;
}

/** @param after how many ms after it is ready it's killed */
async function run(backend: string, path: string, after = Infinity): Promise<Ended> {
  const [built] = (await readdir(join(folder, "built"))).filter((name) => /^run\.m?js$/.test(name));
  const child = spawn(process.execPath, [join(folder, "built", built as string), backend, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<string | null>((resolve, reject) => {
    child.once("error", reject).once("close", (_code, signal) => resolve(signal));
  });
  let ready = 0;
  let learned: string | undefined;
  createInterface(child.stdout).on("line", (line) => {
    if (line === "ready") {
      ready = performance.now();
      if (after < Infinity) setTimeout(() => child.kill("SIGKILL"), after);
    } else learned = line;
  });
  const signal = await ended;
  return { killed: signal === "SIGKILL", ran: performance.now() - ready, learned };
}

describe.each(["cpu", "wasm"])("a run on %s", (backend) => {
  it(
    `that is killed ${kills} times ends with the bits of one that wasn't`,
    { timeout: 1_800_000 },
    async () => {
      const whole = await run(backend, join(folder, `${backend}-whole`));
      expect(whole.learned).toMatch(/^learned [0-9a-f]{64}$/);
      const draw = derived(Date.now());

      let [killed, finished, most] = [0, 0, 0];
      let path = join(folder, `${backend}-${finished}`);
      while (killed < kills || finished === 0) {
        // Within what a whole run takes: most die on the way, some get to the end.
        const ended = await run(backend, path, killed < kills ? draw() * whole.ran : Infinity);
        if (ended.killed) {
          killed++;
          most++;
          // Whatever the moment, what's there can be read.
          await checkpointFile(path).load();
          if (killed < kills || finished > 0) continue;
        }
        const last = ended.learned ?? (await run(backend, path)).learned;
        expect(last, `after ${most} kills`).toBe(whole.learned);
        finished++;
        most = 0;
        path = join(folder, `${backend}-${finished}`);
      }
      if (kills > 1)
        console.log(`${backend}: ${killed} kills, ${finished} runs that went on to the same bits`);
      expect(killed).toBe(kills);
    },
  );
});
