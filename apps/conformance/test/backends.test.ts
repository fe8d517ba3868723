// What the command's backends promise of their arithmetic. The score lets whatever a manifest excuses pass, so that it's here where a
// promise taken back shows.
import { expect, test } from "vitest";
import { backends } from "../src/backends.ts";

test.each(["cpu", "wasm"])("%s promises all that there is to promise", async (name) => {
  const backend = await backends[name]!.open({});
  expect(backend.accuracy).toMatchObject({ nan: true, subnormals: true, batchExact: true });
  backend.dispose();
});
