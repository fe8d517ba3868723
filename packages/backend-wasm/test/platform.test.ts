// Where WebAssembly is missing, lacks SIMD, is forbidden or has no memory: a clear error that names the CPU backend.
import { createModel, lstm, recurrent, stack } from "@recurra/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { emitPrebuilt } from "../src/prebuild.ts";

const real = (globalThis as unknown as { WebAssembly: Record<string, unknown> }).WebAssembly;
const refused = (code: string) => ({
  name: "RecurraError",
  code,
  message: expect.stringContaining("use openCpu()") as string,
});

/** A fresh copy of the backend, which hasn't asked the platform anything yet, on a platform changed so. */
async function openOn(changed: Record<string, unknown> | undefined): Promise<unknown> {
  vi.resetModules();
  const { openWasm } = await import("../src/index.ts");
  vi.stubGlobal("WebAssembly", changed);
  return openWasm();
}
const thrower = (message: string) =>
  class {
    constructor() {
      throw new Error(message);
    }
  };
const changed = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.assign(Object.create(real) as Record<string, unknown>, members);

afterEach(() => vi.unstubAllGlobals());

describe("openWasm is refused", () => {
  test("without WebAssembly", async () => {
    await expect(openOn(undefined)).rejects.toMatchObject(refused("UNSUPPORTED"));
  });
  test("without SIMD", async () => {
    await expect(openOn(changed({ validate: () => false }))).rejects.toMatchObject(refused("UNSUPPORTED"));
  });
  test("where a policy forbids compiling", async () => {
    const Module = thrower("violates the following Content Security Policy directive");
    await expect(openOn(changed({ Module }))).rejects.toMatchObject(refused("UNSUPPORTED"));
  });
  test("without memory", async () => {
    const Memory = thrower("could not allocate memory");
    await expect(openOn(changed({ Memory }))).rejects.toMatchObject(refused("OUT_OF_MEMORY"));
  });
});

test(
  "where nothing may be compiled, as in some edge workers, a module made ahead of time runs",
  { timeout: 60_000 },
  async () => {
    const Compiled = real.Module as new (bytes: Uint8Array) => object;
    const module = new Compiled(emitPrebuilt([], false));
    const { customSections } = Compiled as unknown as { customSections: unknown };
    const refuse = (): never => {
      throw new Error("code generation disallowed");
    };
    const Module = Object.assign(thrower("code generation disallowed"), { customSections });
    vi.resetModules();
    const { openWasm } = await import("../src/index.ts");
    vi.stubGlobal("WebAssembly", changed({ Module, compile: refuse, validate: refuse }));
    const model = createModel(
      stack(recurrent(lstm, { inputSize: 3, hiddenSize: 4 })),
      await openWasm({ module }),
    );
    expect(model.runSync({ shape: [2, 1, 3], data: new Float32Array(6).fill(1) }).output.shape).toEqual([
      2, 1, 4,
    ]);
  },
);
