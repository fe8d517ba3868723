// Where WebAssembly is missing, lacks SIMD, is forbidden or has no memory: a clear error that names the CPU backend.
import { afterEach, describe, expect, test, vi } from "vitest";

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
