// What opening refuses, and how it says so.
import { expect, test } from "vitest";
import { openGpuJs } from "../src/index.ts";
import { onGpu, opened } from "./support.ts";

const refused = (code: string, words: RegExp) => ({
  name: "RecurraError",
  code,
  message: expect.stringMatching(words) as string,
});

test("an unknown mode", async () => {
  const mode = "metal" as unknown as "webgl";
  await expect(openGpuJs({ mode })).rejects.toMatchObject(
    refused("INVALID_ARGUMENT", /webgl2, webgl,.*got metal/),
  );
});

test("options that are none", async () => {
  const options = "webgl2" as unknown as { mode: "webgl2" };
  await expect(openGpuJs(options)).rejects.toMatchObject(refused("INVALID_ARGUMENT", /\{ mode \}.*String/));
});

test("a mode of browsers, in Node: no other one runs in its place", async () => {
  for (const mode of ["webgl2", "webgl"] as const)
    await expect(openGpuJs({ mode })).rejects.toMatchObject(
      refused("UNSUPPORTED", new RegExp(`mode ${mode} doesn't run here.*browser.*openCpu`)),
    );
});

test("WebGPU where there is no adapter", async () => {
  await expect(openGpuJs({ mode: "webgpu" })).rejects.toMatchObject(
    refused("UNSUPPORTED", /mode webgpu doesn't run here.*adapter.*openCpu/),
  );
});

onGpu("with a GPU", () => {
  test("the name says which mode runs", () =>
    opened(async ({ backend }) => expect(backend.name).toBe("gpujs(headlessgl)")));

  test("a kernel that gpu.js would run on the CPU is refused", () =>
    opened(async ({ backend, device }) => {
      const [from, to] = [backend.alloc(2), backend.alloc(2)];
      const view = { offset: 0, rowStride: 2, columnStride: 1, stepStride: 0, slots: 1 } as const;
      const instructions = [{ fn: "copy", args: [{ input: 0 }] }] as const;
      const kernel = { op: "map", width: 2, inputs: 1, instructions, outputs: [0] } as const;
      const bound = backend.prepare(kernel).bind(1, [
        { ...view, buffer: from },
        { ...view, buffer: to },
      ]);
      Object.defineProperty(device.gpu, "Kernel", { value: class Another {} });
      expect(() => bound.run(0)).toThrow(/fell back/);
    }));
});
