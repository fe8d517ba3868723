// One configuration for every test: each package, each app and the scripts are a project of it.
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const folders = ["packages", "apps"]
  .flatMap((group) => readdirSync(group).map((name) => `${group}/${name}`))
  .concat("scripts")
  .filter((folder) => existsSync(`${folder}/test`));

/** Imports between packages resolve to sources, so that no build is needed between an edit and its test. */
const conditions = ["@recurra/source", "module", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // gpu.js and Chromium want a process of their own, and a test may set flags of V8.
    pool: "forks",
    // By itself it leaves a core free, which on two cores is half of them.
    maxWorkers: availableParallelism(),
    // No test asserts a time; the default of 5 s is met by nothing but a crowded machine.
    testTimeout: 60_000,
    projects: folders.map((folder) => ({
      extends: true,
      test: { name: folder, root: folder, include: ["test/**/*.test.ts"] },
    })),
  },
});
