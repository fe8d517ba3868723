// The command line's words.
import { expect, test } from "vitest";
import { UsageError } from "../../../scripts/command.mjs";
import { parseArgs } from "../src/args.ts";
import type { Entry, Registry } from "../src/backends.ts";

const open: Entry["open"] = () => Promise.reject(new Error("not here"));
const registry: Registry = {
  plain: { engines: ["node20", "node22", "chromium"], open },
  gpu: {
    engines: ["node20", "chromium", "worker"],
    modes: { gl: ["node20"], webgl: ["chromium", "worker"], slow: ["node20", "chromium", "worker"] },
    variants: ["threads", "int8"],
    called: { threads: "threads=2" },
    open,
  },
};
const parse = (words: string) => parseArgs(words.split(" ").filter(Boolean), registry, "20");

test("this Node is the engine unless another is named", () => {
  expect(parse("--backend plain")).toMatchObject({
    label: "plain",
    engine: "node20",
    job: { backend: "plain" },
  });
  expect(parse("--backend plain --engine chromium").engine).toBe("chromium");
});

test("an engine's first mode is its default, and the label tells it", () => {
  expect(parse("--backend gpu")).toMatchObject({ label: "gpu(gl)", job: { mode: "gl", variant: undefined } });
  expect(parse("--backend gpu --engine worker").label).toBe("gpu(webgl)");
  expect(parse("--backend gpu --mode slow --variant int8").label).toBe("gpu(slow,int8)");
  expect(parse("--backend gpu --mode slow --variant threads").label).toBe("gpu(slow,threads=2)");
});

test.each([
  ["", "--backend is missing\nconformance --backend plain|gpu [--engine node20|"],
  ["--backend cuda", '--backend: there is no "cuda"; there is plain, gpu'],
  // Not a word of the registry, but one of every object.
  ["--backend toString", '--backend: there is no "toString"; there is plain, gpu'],
  [
    "--backend plain --engine deno",
    '--engine: there is no "deno"; there is node20, node22, node24, chromium, worker',
  ],
  ["--backend plain --engine worker", "plain doesn't run there; it runs in node20, node22, chromium"],
  ["--backend plain --mode fast", 'there is no "fast" of plain in node20; there is none'],
  ["--backend gpu --mode webgl", 'there is no "webgl" of gpu in node20; there is gl, slow'],
  ["--backend gpu --variant int4", 'there is no "int4" of gpu; there is threads, int8'],
  ["--backend plain --fast", "Unknown option '--fast'"],
  ["--backend plain more", "Unexpected argument 'more'"],
])("%s is answered with what there is", (words, message) => {
  expect(() => parse(words)).toThrow(UsageError);
  expect(() => parse(words)).toThrow(message);
});
