import { program } from "../../tsdown.base.ts";

export default [
  program(["src/conformance.ts", "src/mutants.ts", "src/allocations.ts", "src/kit/node.ts"]),
  // A page has no node_modules: everything is built in.
  {
    ...program(["src/kit/page.ts", "src/kit/worker.ts"]),
    platform: "browser" as const,
    target: "es2022",
    outDir: "dist/browser",
    deps: { alwaysBundle: [/./] },
  },
];
