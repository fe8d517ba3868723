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
  /** The number of the last step that it said. */
  readonly step: number;
  readonly learned: string | undefined;
}

/** When a run is to die: so many ms after it has said so many steps. */
interface Moment {
  readonly steps: number;
  readonly ms: number;
}

async function run(backend: string, path: string, death?: Moment): Promise<Ended> {
  const [built] = (await readdir(join(folder, "built"))).filter((name) => /^run\.m?js$/.test(name));
  const child = spawn(process.execPath, [join(folder, "built", built as string), backend, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<string | null>((resolve, reject) => {
    child.once("error", reject).once("close", (_code, signal) => resolve(signal));
  });
  let [ready, said, step] = [0, 0, 0];
  let learned: string | undefined;
  createInterface(child.stdout).on("line", (line) => {
    if (line === "ready") ready = performance.now();
    else if (line.startsWith("step ")) {
      said++;
      step = Number(line.slice(5));
    } else learned = line;
    if (death && said === death.steps && learned === undefined)
      setTimeout(() => child.kill("SIGKILL"), death.ms);
  });
  const signal = await ended;
  return { killed: signal === "SIGKILL", ran: performance.now() - ready, step, learned };
}

describe.each(["cpu", "wasm"])("a run on %s", (backend) => {
  it(
    `that is killed ${kills} times ends with the bits of one that wasn't`,
    { timeout: 1_800_000 },
    async ({ onTestFailed }) => {
      const whole = await run(backend, join(folder, `${backend}-whole`));
      expect(whole.learned).toMatch(/^learned [0-9a-f]{64}$/);
      const seed = Date.now();
      onTestFailed(() => console.error(`the moments of ${backend} were drawn from seed ${seed}`));
      const draw = derived(seed);
      /** Within what is left of a run, and at times past it: most die on the way, some get to the end. */
      const moment = (from: number): Moment => ({
        steps: Math.floor(draw() * (whole.step - from + 2)),
        ms: (draw() * whole.ran) / whole.step,
      });
      let [killed, finished, most, reached] = [0, 0, 0, 0];
      let path = join(folder, `${backend}-${finished}`);
      while (killed < kills || finished === 0) {
        const ended = await run(backend, path, killed < kills ? moment(reached) : undefined);
        reached = Math.max(reached, ended.step);
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
        [most, reached] = [0, 0];
        path = join(folder, `${backend}-${finished}`);
      }
      if (kills > 1)
        console.log(`${backend}: ${killed} kills, ${finished} runs that went on to the same bits`);
      expect(killed).toBe(kills);
    },
  );
});
