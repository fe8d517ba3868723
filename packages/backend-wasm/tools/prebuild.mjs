// Makes dist/prebuilt.wasm and dist/prebuilt-relaxed.wasm. The last step of this package's build.
import { writeFileSync } from "node:fs";

/** @type {typeof import("../src/prebuild.ts")} */
const { emitPrebuilt, shippedMaps } = await import(new URL("../dist/prebuild.js", import.meta.url).href);

const maps = await shippedMaps();
for (const relaxed of [false, true]) {
  const file = new URL(`../dist/prebuilt${relaxed ? "-relaxed" : ""}.wasm`, import.meta.url);
  writeFileSync(file, emitPrebuilt(maps, relaxed));
}
