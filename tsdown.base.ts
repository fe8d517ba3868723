// The two kinds of build that there are: a library for any platform, and a program for Node.
import type { UserConfig } from "tsdown";

/**
 * One file out for each file in, so that a bundler can drop a whole file (a cell, the adjoint) that nobody uses. What is
 * only a dev dependency is built in, below `vendor/`: npm leaves folders called node_modules out of packages.
 */
export const library = (entry: string[] = ["src/index.ts"]): UserConfig => ({
  entry,
  unbundle: true,
  outputOptions: {
    entryFileNames: ({ name }) => `${name.replace(/^node_modules\/.*node_modules\//, "vendor/")}.js`,
  },
  platform: "neutral",
  target: "es2022",
  fixedExtension: false,
  dts: true,
  sourcemap: true,
  logLevel: "warn",
});

/** Programs import the built packages, as a user's would. */
export const program = (entry: string[]): UserConfig => ({
  entry,
  platform: "node",
  target: "node20",
  fixedExtension: false,
  dts: false,
  sourcemap: true,
  logLevel: "warn",
});
