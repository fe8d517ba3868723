// Modules made ahead of time: the same bits as modules made here, for shipped cells and for a user's own.
import { cell, createModel, gradientSync, gru, lstm, recurrent, sigmoid, stack, tanh } from "@recurra/core";
import { describe, expect, test } from "vitest";
import { openWasm } from "../src/index.ts";
import { emitPrebuilt, shippedMaps } from "../src/prebuild.ts";

declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };

const ugrnn = cell({
  name: "ugrnn",
  state: ["h"],
  W: ["g", "c"],
  U: ["g", "c"],
  b: ["g", "c"],
  step({ x, h, W, U, b }) {
    const g = sigmoid(W.g.dot(x).plus(U.g.dot(h), b.g));
    const c = tanh(W.c.dot(x).plus(U.c.dot(h), b.c).times(0.5));
    return { h: g.times(h).plus(c).minus(g.times(c)) };
  },
});

const bytes = emitPrebuilt(await shippedMaps(), false);
const module = new WebAssembly.Module(bytes);
const x = { shape: [20, 2, 5], data: Float32Array.from({ length: 200 }, (_, i) => Math.sin(i)) };

describe("a prebuilt module", () => {
  test.each([lstm, gru, ugrnn])("runs %o with the bits of one that is made here", async (own) => {
    const network = stack(recurrent(own, { inputSize: 5, hiddenSize: 7, layers: 2 }));
    // Both without relaxed SIMD, whatever this engine has.
    const empty = new WebAssembly.Module(emitPrebuilt([], false));
    const [a, b] = [await openWasm({ module }), await openWasm({ module: empty })].map((backend) => {
      const model = createModel(network, backend, { seed: 3 });
      const lengths = [20, 13];
      const { output } = model.runSync(x, { lengths });
      return [output, ...Object.values(gradientSync(model, x, { output }, { lengths }).parameters)];
    });
    expect(a).toEqual(b);
  });

  test("comes from a response or an address", async () => {
    const response = new Response(bytes.slice());
    const backend = await openWasm({ module: response });
    expect(backend.name).toBe("wasm");
    const address = `data:application/wasm;base64,${Buffer.from(bytes).toString("base64")}`;
    await openWasm({ module: address });
    await openWasm({ module: new URL(address) });
  });

  test("of another kind is refused, and so are options that are none", async () => {
    const refused = (message: string) => ({
      name: "RecurraError",
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(message) as string,
    });
    for (const wrong of [null, 5, bytes, bytes.buffer, Promise.resolve(new Response(bytes.slice()))])
      await expect(openWasm({ module: wrong as never })).rejects.toMatchObject(
        refused("expected module to be an address, a Response or a WebAssembly.Module"),
      );
    for (const wrong of [null, 5, "prebuilt.wasm", { thread: 2 }])
      await expect(openWasm(wrong as never)).rejects.toMatchObject(refused("expected options among module"));
  });

  test("that is cut short, missing or another's is refused with what to use instead", async () => {
    const refused = { name: "RecurraError", message: expect.stringContaining("use openCpu()") as string };
    await expect(openWasm({ module: new Response(bytes.slice(0, 1000)) })).rejects.toMatchObject(refused);
    await expect(openWasm({ module: new Response("", { status: 404 }) })).rejects.toMatchObject(refused);
    await expect(openWasm({ module: "nowhere" })).rejects.toMatchObject(refused);
    const old = Buffer.from(bytes.slice());
    const at = old.indexOf('"engine":"') + '"engine":"'.length;
    old[at] = old[at] === 0x30 ? 0x31 : 0x30;
    await expect(openWasm({ module: new WebAssembly.Module(old) })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining("of another version") as string,
    });
    const another = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    await expect(openWasm({ module: another })).rejects.toMatchObject(refused);
  });
});
