// Makes dist/prebuilt.wasm, and those with relaxed SIMD, for threads, and both. The last step of this package's build.
import { writeFileSync } from "node:fs";

/** @type {typeof import("../src/prebuild.ts")} */
const { emitPrebuilt, extend, shippedMaps } = await import(
  new URL("../dist/prebuild.js", import.meta.url).href
);

const maps = await shippedMaps();
for (const relaxed of [false, true])
  for (const threads of [undefined, extend]) {
    const name = `prebuilt${threads ? "-threads" : ""}${relaxed ? "-relaxed" : ""}.wasm`;
    writeFileSync(new URL(`../dist/${name}`, import.meta.url), emitPrebuilt(maps, relaxed, threads));
  }
