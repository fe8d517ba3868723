// What the tests share: a device where there is one, and small kernels.
import type { Backend, DeviceBuffer, FunctionName, Kernel, View } from "@recurra/core";
import { describe } from "vitest";
import { GlDevice } from "../src/gl-device.ts";
import { openDevice } from "../src/open.ts";

/** What is missing for a GPU here, if something is. */
const missing: string | undefined = await openDevice({}).then(
  ({ backend }) => {
    backend.dispose();
    return undefined;
  },
  (error: unknown) => String(error),
);
if (missing !== undefined) {
  if (process.env["CI"]) throw new Error(`the tests of backend-gpujs want a GPU in CI. ${missing}`);
  console.warn(`The tests of backend-gpujs are skipped. ${missing}`);
}

/** Tests that run where there is a GPU; in CI there must be one. */
export const onGpu = missing === undefined ? describe : describe.skip;

export interface Opened {
  readonly backend: Backend;
  readonly device: GlDevice;
}

/** A backend for the time of a test. */
export async function opened<R>(test: (opened: Opened) => Promise<R>): Promise<R> {
  const { backend, device } = await openDevice({});
  try {
    if (!(device instanceof GlDevice)) throw new Error(`expected a GPU, got ${backend.name}`);
    return await test({ backend, device });
  } finally {
    backend.dispose();
  }
}

export const dense = (buffer: DeviceBuffer, width: number, more: Partial<View> = {}): View => ({
  buffer, offset: 0, rowStride: width, columnStride: 1, stepStride: 0, slots: 1, ...more,
}); // prettier-ignore

export function bufferOf(backend: Backend, data: Float32Array): DeviceBuffer {
  const buffer = backend.alloc(data.length);
  backend.write(buffer, data, 0);
  return buffer;
}

export async function numbersOf(backend: Backend, buffer: DeviceBuffer): Promise<Float32Array> {
  const into = new Float32Array(buffer.length);
  await backend.read(buffer, into, 0);
  return into;
}

/** One function of each number. */
export const pointwise = (fn: FunctionName, width: number): Kernel => ({
  op: "map", width, inputs: 1, instructions: [{ fn, args: [{ input: 0 }] }], outputs: [0],
}); // prettier-ignore

/** [rows, width] of a function, from its numbers. */
export async function applied(
  backend: Backend,
  fn: FunctionName,
  points: Float32Array,
  width: number,
): Promise<Float32Array> {
  const [from, to] = [bufferOf(backend, points), backend.alloc(points.length)];
  const rows = points.length / width;
  backend
    .prepare(pointwise(fn, width))
    .bind(rows, [dense(from, width), dense(to, width)])
    .run(0);
  const results = await numbersOf(backend, to);
  for (const buffer of [from, to]) backend.free(buffer);
  return results;
}
