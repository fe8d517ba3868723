import { spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withLock } from "../lock.mjs";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "recurra-lock-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The id of a process that has ended. */
const deadPid = (): string => String(spawnSync(process.execPath, ["-e", ""]).pid);

describe("withLock", () => {
  test("gives the work's result and leaves nothing behind, an error included", async () => {
    const path = join(folder, "some", "lock");
    expect(await withLock(path, () => existsSync(path))).toBe(true);
    await expect(withLock(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(existsSync(path)).toBe(false);
  });

  test("lets one process in at a time", async () => {
    const log = join(folder, "log");
    writeFileSync(log, "");
    const script = `
      import { appendFileSync } from "node:fs";
      import { setTimeout } from "node:timers/promises";
      import { withLock } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "../lock.mjs")).href)};
      await withLock(${JSON.stringify(join(folder, "lock"))}, async () => {
        appendFileSync(${JSON.stringify(log)}, "in ");
        await setTimeout(50);
        appendFileSync(${JSON.stringify(log)}, "out ");
      });`;
    const run = (): Promise<unknown> =>
      new Promise((resolve) =>
        spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" }).once(
          "close",
          resolve,
        ),
      );
    await Promise.all([run(), run(), run()]);
    expect(readFileSync(log, "utf8")).toBe("in out in out in out ");
  });

  test("takes over the lock of a dead process, by one waiter only", async () => {
    const path = join(folder, "lock");
    mkdirSync(path);
    writeFileSync(join(path, "pid"), deadPid());
    const log = join(folder, "log");
    const work = async (): Promise<void> => {
      appendFileSync(log, "in ");
      await new Promise((resolve) => setTimeout(resolve, 20));
      appendFileSync(log, "out ");
    };
    await Promise.all([withLock(path, work), withLock(path, work)]);
    expect(readFileSync(log, "utf8")).toBe("in out in out ");
  });

  test("waits for a living process, and says so once", async () => {
    const path = join(folder, "lock");
    mkdirSync(path);
    writeFileSync(join(path, "pid"), String(process.pid));
    let said = 0;
    let entered = false;
    const entering = withLock(
      path,
      () => (entered = true),
      () => said++,
    );
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect({ entered, said }).toEqual({ entered: false, said: 1 });
    rmSync(path, { recursive: true });
    await entering;
    expect({ entered, said }).toEqual({ entered: true, said: 1 });
  });
});
