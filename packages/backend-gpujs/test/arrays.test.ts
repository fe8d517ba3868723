// gpu.js's modes without a GPU, which run wherever the tests do.
import { describeConformance } from "@recurra/conformance";
import { createModel, lstm, recurrent, stack } from "@recurra/core";
import { describe, expect, it, test } from "vitest";
import { openGpuJs } from "../src/index.ts";
import { openDevice } from "../src/open.ts";
import { bufferOf, dense, numbersOf } from "./support.ts";

const modes = ["cpu", "webasm"] as const;

for (const mode of modes)
  describeConformance({ describe, it }, `gpujs(${mode})`, () => openGpuJs({ mode }), {
    sizes: "small",
    variants: false,
  });

test.each(modes)("mode %s is asked for by name, and called by it", async (mode) => {
  expect((await openGpuJs({ mode })).name).toBe(`gpujs(${mode})`);
});

test.each(modes)("mode %s rounds what stays within a kernel as if it went through memory", async (mode) => {
  const backend = await openGpuJs({ mode });
  const [a, b] = [Float32Array.of(1), Float32Array.of(2 ** -30)];
  const [from, small, to] = [bufferOf(backend, a), bufferOf(backend, b), backend.alloc(1)];
  const instructions = [
    { fn: "plus", args: [{ input: 0 }, { input: 1 }] },
    { fn: "minus", args: [{ result: 0 }, { input: 0 }] },
  ] as const;
  backend
    .prepare({ op: "map", width: 1, inputs: 2, instructions, outputs: [1] })
    .bind(
      1,
      [from, small, to].map((buffer) => dense(buffer, 1)),
    )
    .run(0);
  expect(await numbersOf(backend, to)).toEqual(Float32Array.of(0));
  backend.dispose();
});

test.each(modes)("a step of a stream in mode %s brings the frame in and its output out", async (mode) => {
  const { backend, device } = await openDevice({ mode });
  const model = createModel(stack(recurrent(lstm, { inputSize: 3, hiddenSize: 5 })), backend);
  const stream = model.stream();
  const frame = Float32Array.of(1, 2, 3);
  await stream.step(frame);
  await stream.step(frame);
  const before = { ...device.counters };
  await stream.step(frame);
  const { uploadedBytes, downloadedBytes, compiled, textures } = device.counters;
  expect(uploadedBytes - before.uploadedBytes).toBe(4 * 3);
  expect(downloadedBytes - before.downloadedBytes).toBe(4 * 5);
  expect([compiled, textures]).toEqual([before.compiled, before.textures]);
  backend.dispose();
  expect(device.counters.textures).toBe(0);
  await expect(stream.step(frame)).rejects.toMatchObject({ code: "DISPOSED" });
});
