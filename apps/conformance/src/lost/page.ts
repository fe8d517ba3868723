// A page that takes the context from under a backend, as a GPU that is reset does, and then opens another.
import { openGpuJs } from "@recurra/backend-gpujs";
import { createModel, gru, recurrent, stack, type Backend } from "@recurra/core";

interface Context {
  isContextLost?(): boolean;
  getExtension?(name: "WEBGL_lose_context"): { loseContext(): void } | null;
}
interface Canvas {
  readonly prototype: { getContext(kind: string, settings?: object): Context | null };
}
interface Device {
  destroy(): void;
}
interface Adapter {
  readonly prototype: { requestDevice(settings?: object): Promise<Device> };
}
/** The little of a page that's used here; see kit/page.ts. */
const page = globalThis as unknown as {
  readonly HTMLCanvasElement: Canvas;
  readonly OffscreenCanvas: Canvas;
  readonly GPUAdapter?: Adapter;
  loseContext: LoseContext;
  openMany: OpenMany;
};

/** What the page answers: the result before and, of another backend, after; and how each call between was refused. */
export type LoseContext = (mode: "webgl2" | "webgpu") => Promise<{
  readonly lost: number;
  readonly before: readonly number[];
  readonly refused: Readonly<Record<"awaited" | "next" | "stream" | "another model", string>>;
  readonly after: readonly number[];
}>;

/** What a backend computes before and after so many others were opened and disposed. */
export type OpenMany = (
  mode: "webgl2",
  others: number,
) => Promise<{ readonly before: readonly number[]; readonly after: readonly number[] }>;

/** All contexts and devices that a page asks for. */
const contexts: Context[] = [];
const devices: Device[] = [];
for (const { prototype } of [page.HTMLCanvasElement, page.OffscreenCanvas]) {
  const { getContext } = prototype;
  prototype.getContext = function (...given) {
    const context = getContext.apply(this, given);
    if (context) contexts.push(context);
    return context;
  };
}

if (page.GPUAdapter) {
  const { prototype } = page.GPUAdapter;
  const { requestDevice } = prototype;
  prototype.requestDevice = async function (...given) {
    const device = await requestDevice.apply(this, given);
    devices.push(device);
    return device;
  };
}

/** How many there were. */
function loseAll(): number {
  const alive = [...new Set(contexts)].filter((context) => context.isContextLost?.() === false);
  for (const context of alive) context.getExtension?.("WEBGL_lose_context")?.loseContext();
  const all = devices.splice(0);
  for (const device of all) device.destroy();
  return alive.length + all.length;
}

const network = stack(recurrent(gru, { inputSize: 3, hiddenSize: 5 }));
const x = { shape: [4, 2, 3], data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)) };
const modelOn = (backend: Backend) => createModel(network, backend, { seed: 1 });

/** The code of the error, or "none". */
const codeOf = async (call: () => Promise<unknown>): Promise<string> => {
  try {
    await call();
    return "none";
  } catch (error) {
    return String((error as { readonly code?: unknown }).code ?? error);
  }
};

page.loseContext = async (mode) => {
  const backend = await openGpuJs({ mode });
  const model = modelOn(backend);
  const stream = model.stream();
  const before = await model.run(x);
  const awaited = codeOf(() => model.run(x));
  const lost = loseAll();
  const refused = {
    awaited: await awaited,
    next: await codeOf(() => model.run(x)),
    stream: await codeOf(async () => stream.step(new Float32Array(3))),
    "another model": await codeOf(async () => modelOn(backend).run(x)),
  };
  backend.dispose();
  const after = await modelOn(await openGpuJs({ mode })).run(x);
  return { lost, before: [...before.output.data], refused, after: [...after.output.data] };
};

page.openMany = async (mode, others) => {
  const model = modelOn(await openGpuJs({ mode }));
  const before = await model.run(x);
  for (let i = 0; i < others; i++) {
    const backend = await openGpuJs({ mode });
    await modelOn(backend).run(x);
    backend.dispose();
  }
  const after = await model.run(x);
  return { before: [...before.output.data], after: [...after.output.data] };
};
