import { library } from "../../tsdown.base.ts";

/**
 * What `openWasm` imports when it is asked for threads, or for int8 weights: a file each, whole, with what it needs of the assembler
 * in it, and no import. A bundler would put what such a file shared with the first one into a third, for everybody to load; so they
 * are given what must be the same (memory, scripts, errors).
 */
const later = ["threads/start", "format8"];

/** To the other files, these are there already. */
const apart = {
  name: "later",
  resolveId: (source: string): { id: string; external: true } | undefined =>
    later.some((name) => source === `./${name}.ts`)
      ? { id: source.replace(/ts$/, "js"), external: true }
      : undefined,
};

// Besides what users import: what the last step of the build and the roofline's probes need.
const first = library(["src/index.ts", "src/prebuild.ts", "src/assembler.ts", "src/instructions/v128.ts"]);

export default [
  { ...first, plugins: [apart] },
  ...later.map((name) => ({
    ...library(),
    entry: { [name]: `src/${name}.ts` },
    unbundle: false,
    clean: false,
  })),
];
