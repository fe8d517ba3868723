// Each engine with small stand-ins for the kit: what is told arrives, and a death on the way is an error with its reason.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Entry } from "../src/backends.ts";
import { chromiumEngine } from "../src/engines/chromium.ts";
import { findChromium } from "../src/engines/in-page.ts";
import { type Engine, Missing } from "../src/engines/engine.ts";
import { nodeEngine } from "../src/engines/node.ts";
import type { Job, Message } from "../src/job.ts";
import { chromiumIsHere } from "./chromium-here.ts";

const strict: Entry = { engines: [], open: () => Promise.reject(new Error("not here")) };
const job: Job = { backend: "stub", mode: "some mode" };
const say = (reason: string) => `{ type: "failed", reason: ${reason} }`;

const made: string[] = [];
afterAll(() => made.forEach((folder) => rmSync(folder, { recursive: true })));

/** A folder with these files. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "recurra-engine-"));
  made.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

async function told(engine: Engine, entry = strict): Promise<Message[]> {
  const messages: Message[] = [];
  await engine(job, entry, (message) => void messages.push(message));
  return messages;
}

/** Says whether code can be made from strings. */
const tryEval = `(() => { try { new Function(""); return "allowed"; } catch (error) { return error.name; } })()`;

describe("a Node process", { timeout: 60_000 }, () => {
  const [own = ""] = process.versions.node.split(".");
  const node = (program: string) =>
    nodeEngine(own as "20", join(folderWith({ "kit.mjs": program }), "kit.mjs"));

  test("gets the job and tells", async () => {
    const messages = await told(node(`process.send(${say("process.argv[2]")})`));
    expect(messages).toEqual([{ type: "failed", reason: JSON.stringify(job) }]);
  });

  test("can't make code from strings, unless the backend needs to", async () => {
    const engine = node(`process.send(${say(tryEval)})`);
    expect(await told(engine)).toEqual([{ type: "failed", reason: "EvalError" }]);
    expect(await told(engine, { ...strict, scriptSources: ["'unsafe-eval'"] })).toEqual([
      { type: "failed", reason: "allowed" },
    ]);
  });

  test.each([
    ["exits", "process.exit(3)", "its process ended (exit code 3)"],
    ["exits well, but too early", "", "its process ended (exit code 0)"],
    ["is killed", 'process.kill(process.pid, "SIGKILL")', "its process ended (SIGKILL)"],
  ])("that %s is an error", async (_, program, message) => {
    await expect(told(node(program))).rejects.toThrow(message);
  });
});

describe.skipIf(!(await chromiumIsHere()))("Chromium", { timeout: 60_000 }, () => {
  const page = (text: string, flags: readonly string[] = []) =>
    chromiumEngine("page", { folder: folderWith({ "page.js": text }), flags });
  /** A page that hands on what its worker says, as the real one does. */
  const worker = (text: string, onerror = `({ message }) => tell(${say("message")})`) =>
    chromiumEngine("worker", {
      folder: folderWith({
        "page.js": `
        const worker = new Worker("worker.js" + location.search, { type: "module" });
        worker.onmessage = ({ data }) => tell(data);
        worker.onerror = ${onerror || "null"};`,
        "worker.js": text,
      }),
    });

  test("gives a page the job and hears it", async () => {
    const query = `?backend=stub&mode=some+mode`;
    expect(await told(page(`await tell(${say("location.search")})`))).toEqual([
      { type: "failed", reason: query },
    ]);
  });

  test("gives a worker the job and hears it", async () => {
    const messages = await told(worker(`postMessage(${say("location.search")})`));
    expect(messages).toEqual([{ type: "failed", reason: "?backend=stub&mode=some+mode&worker" }]);
  });

  test.each([
    ["page", (text: string) => page(`tell(${text})`)],
    ["worker", (text: string) => worker(`postMessage(${text})`)],
  ])("lets a %s make no code from strings, unless the backend needs to", async (_, engine) => {
    expect(await told(engine(say(tryEval)))).toEqual([{ type: "failed", reason: "EvalError" }]);
    const lax = { ...strict, scriptSources: ["'unsafe-eval'"] };
    expect(await told(engine(say(tryEval)), lax)).toEqual([{ type: "failed", reason: "allowed" }]);
  });

  test("keeps what was told before the page ran out of memory, and says that it crashed", async () => {
    const messages: Message[] = [];
    const hungry = `
      await tell({ type: "start", engine: "page", evalAllowed: false, laws: ["a"] });
      const kept = [];
      for (;;) kept.push(Array.from({ length: 1e4 }, () => ({})));`;
    const run = page(hungry, ["--js-flags=--max-old-space-size=32"])(
      job,
      strict,
      (message) => void messages.push(message),
    );
    await expect(run).rejects.toThrow("the page crashed");
    expect(messages.map(({ type }) => type)).toEqual(["start"]);
  });

  test.each([
    ["a page", page],
    ["a worker", worker],
    ["a worker whose page says nothing of it", (text: string) => worker(text, "")],
  ])("passes on an error that nothing catches in %s, once", async (_, engine) => {
    const failed = { type: "failed", reason: expect.stringContaining("my fault") as string };
    expect(await told(engine(`throw new TypeError("my fault")`))).toEqual([failed]);
  });

  test("a script that isn't there is an error", async () => {
    await expect(told(chromiumEngine("page", { folder: folderWith({}) }))).rejects.toThrow("page.js");
  });
});

test("Chromium is looked for on the path, or where it's said to be", () => {
  const folder = folderWith({ "readme.txt": "no program" });
  expect(() => findChromium({ PATH: folder })).toThrow(Missing);
  expect(() => findChromium({ PATH: folder })).toThrow("apt-get install chromium");
  expect(() => findChromium({ CHROMIUM_PATH: join(folder, "readme.txt") })).toThrow("no program");
  expect(findChromium({ CHROMIUM_PATH: process.execPath })).toBe(process.execPath);
});
