import { program } from "../../tsdown.base.ts";

/** A page has no node_modules: everything is built in. */
const page = (entry: string[], outDir: string) => ({
  ...program(entry),
  platform: "browser" as const,
  target: "es2022",
  outDir,
  deps: { alwaysBundle: [/./] },
});

export default [
  program(["src/conformance.ts", "src/mutants.ts", "src/allocations.ts", "src/kit/node.ts"]),
  page(["src/kit/page.ts", "src/kit/worker.ts"], "dist/browser"),
  page(["src/training/page.ts", "src/training/worker.ts"], "dist/training"),
  page(["src/lost/page.ts"], "dist/lost"),
  page(["src/worklet/page.ts", "src/worklet/processor.ts"], "dist/worklet"),
];
