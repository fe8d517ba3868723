// Threads: the bits of one thread, whatever is shared out; a warning and one thread where there can't be several; no endless waiting.
import {
  cell, createModel, dense, embedding, gradientSync, gru, lstm, lstmLayerNorm, mgu, minGru, recurrent, stack, tanh, type Cell, type Layer, type SyncBackend,
} from "@recurra/core"; // prettier-ignore
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { openWasm } from "../src/index.ts";
import type { Bound } from "../src/launch.ts";
import { given, open } from "../src/open.ts";
import { emitPrebuilt, shippedMaps } from "../src/prebuild.ts";
import { loadPrebuilt } from "../src/prebuilt.ts";
import type { Task } from "../src/team.ts";
import type { Foreman, ForemanOptions } from "../src/threads/foreman.ts";
import { plan } from "../src/threads/plan.ts";
import { extend, startCrew } from "../src/threads/start.ts";

declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };

// Everything waits for some seconds at most, so a thread that hangs fails its test.
vi.setConfig({ testTimeout: 60_000 });

const opened: SyncBackend[] = [];
/** Threads that share out whatever can be, however small. */
async function openAlways(threads: number, options: ForemanOptions = {}) {
  const crew = await startCrew(given, threads, undefined, { always: true, patience: 5000, ...options });
  const backend = open(undefined, crew);
  opened.push(backend);
  return { backend, crew: crew as Foreman };
}
afterAll(() => {
  for (const backend of opened) backend.dispose();
});
afterEach(() => vi.unstubAllGlobals());

const one = await openWasm();
const many = await Promise.all([2, 3].map(async (n) => (await openAlways(n)).backend));

interface Case {
  readonly T: number;
  readonly B: number;
  readonly layers: readonly Layer[];
  readonly lengths?: readonly number[];
}

const bits = (data: Float32Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");

/** Output, states, and what the gradient finds, twice: the second call finds what the first has left. */
function results(backend: SyncBackend, { T, B, layers, lengths }: Case): string[] {
  const I = 9;
  const x = { shape: [T, B, I], data: Float32Array.from({ length: T * B * I }, (_, i) => Math.sin(i * 1.7)) };
  const model = createModel(stack(...(layers as [Layer])), backend, { seed: 3 });
  const call = lengths ? { lengths } : {};
  const found: Float32Array[] = [];
  for (let i = 0; i < 2; i++) {
    const { output, state } = model.runSync(x, call);
    found.push(output.data, ...Object.values(state).map((s) => s.data));
    const { parameters, input } = gradientSync(model, x, { output }, call);
    found.push(...Object.values(parameters).map((p) => p.data), input!.data);
  }
  // Fewer steps than the program has been bound to, and one at a time.
  const short = { shape: [1, B, I], data: x.data.subarray(0, B * I) };
  found.push(model.runSync(short).output.data);
  model.dispose();
  return found.map(bits);
}

const layer = (cell: Cell, hiddenSize: number, more = {}): Layer =>
  recurrent(cell, { inputSize: 9, hiddenSize, ...more });

/** Σ of tanh over so many gates. */
function narrowGates(count: number): Cell {
  const names = Array.from({ length: count }, (_, i) => `g${i}`);
  return cell({
    name: "narrowGates",
    state: ["h"],
    W: names,
    U: names,
    step({ x, h, W, U }) {
      const gates = names.map((name) => tanh(W[name]!.dot(x).plus(U[name]!.dot(h))));
      return { h: tanh(gates.reduce((sum, gate) => sum.plus(gate))) };
    },
  });
}

describe("the same bits as one thread", () => {
  const cells: [string, Cell][] = [
    ["lstm", lstm],
    ["gru", gru],
    ["lstmLayerNorm", lstmLayerNorm],
  ];
  const sizes = [1, 3, 4, 64].flatMap((B) => [5, 32, 72].map((H) => [B, H] as const));
  test.each(cells.flatMap(([name, cell]) => sizes.map(([B, H]) => [name, B, H, cell] as const)))(
    "%s, batch %d, hidden %d",
    (_, B, H, cell) => {
      const case_ = { T: B > 4 ? 3 : 70, B, layers: [layer(cell, H)] };
      const expected = results(one, case_);
      for (const backend of many) expect(results(backend, case_)).toEqual(expected);
    },
  );

  // Packed for a single row, tiles of 32 columns are cut apart where each thread has whole ones of every gate (64 for two, 96 for
  // three), and never within: not where there are as many columns, but of many narrow gates.
  test.each([
    ["lstm 64", lstm, 64],
    ["lstm 96", lstm, 96],
    ["48 gates", narrowGates(48), 16],
  ] as const)("a single row, %s", (_, cell, H) => {
    const case_ = { T: 70, B: 1, layers: [layer(cell, H)] };
    const expected = results(one, case_);
    for (const backend of many) expect(results(backend, case_)).toEqual(expected);
  });

  test.each([1, 3, 12])("bidirectional layers and a dense one, ragged, batch %d", (B) => {
    const layers = [
      layer(gru, 16, { bidirectional: true }),
      recurrent(lstm, { inputSize: 32, hiddenSize: 40, layers: 2 }),
      dense({ inputSize: 40, outputSize: 33 }),
    ];
    const lengths = Array.from({ length: B }, (_, b) => 11 - (b % 5) * 2);
    const case_ = { T: 11, B, layers, lengths };
    const expected = results(one, case_);
    for (const backend of many) expect(results(backend, case_)).toEqual(expected);
  });

  test("rows by index: an embedding and its gradient", () => {
    const run = (backend: SyncBackend): string[] => {
      const network = stack(
        embedding({ vocabularySize: 20, outputSize: 24 }),
        recurrent(lstm, { inputSize: 24, hiddenSize: 16 }),
      );
      const model = createModel(network, backend, { seed: 2 });
      const ids = { shape: [9, 4], data: Int32Array.from({ length: 36 }, (_, i) => (i * 7) % 20) };
      const { output } = model.runSync(ids);
      const { parameters } = gradientSync(model, ids, { output });
      return [output, ...Object.values(parameters)].map(({ data }) => bits(data));
    };
    const expected = run(one);
    for (const backend of many) expect(run(backend)).toEqual(expected);
  });

  test("after memory has grown: workers read modules there", () => {
    const own = (name: string): Cell => (name === "minGru" ? minGru : mgu);
    for (const [backend, name] of many.map((b, i) => [b, i === 0 ? "minGru" : "mgu"] as const)) {
      const case_ = { T: 9, B: 2, layers: [layer(own(name), 40)] };
      // Larger than what there was when the workers started.
      const buffer = backend.alloc(8 << 20);
      expect(results(backend, case_)).toEqual(results(one, case_));
      backend.free(buffer);
    }
  });

  test("with a module made ahead of time", async () => {
    const [plain, shared] = [undefined, extend].map(
      (more) => new WebAssembly.Module(emitPrebuilt([], false, more)),
    );
    const prebuilt = await loadPrebuilt(shared!);
    const backend = open(prebuilt, await startCrew(given, 2, prebuilt, { always: true }));
    opened.push(backend);
    expect(backend.name).toBe("wasm(threads=2)");
    // An instruction at a time, since it has no maps of its own.
    const case_ = { T: 9, B: 3, layers: [layer(lstm, 40)] };
    expect(results(backend, case_)).toEqual(results(await openWasm({ module: plain! }), case_));
  });
});

describe("what is shared out", () => {
  /** A forward program's plan, for two threads that are to be worth it. */
  async function planned(cell: Cell, B: number, H: number) {
    const crew = (await startCrew(given, 2, undefined)) as Foreman;
    const tasks: Task[] = [];
    const bind = crew.bind.bind(crew);
    crew.bind = (task) => (tasks.push(task), bind(task));
    const backend = open(undefined, crew);
    const model = createModel(stack(recurrent(cell, { inputSize: H, hiddenSize: H })), backend);
    const x = { shape: [32, B, H], data: new Float32Array(32 * B * H) };
    model.runSync(x);
    const barrier = (place: number): Bound => ({
      kernel: { op: "map", width: 0, inputs: 0, instructions: [], outputs: [] },
      place, rows: 0, rowsPerStep: 0, most: 0, operands: [], numbers: [],
    }); // prettier-ignore
    const [task] = tasks;
    const { scripts } = plan(task!, { threads: 2 }, [barrier(-1), barrier(-2)]);
    model.dispose();
    backend.dispose();
    const loops = scripts.map((sections) =>
      sections.flatMap((parts) => parts.filter((p) => p.loop).map((p) => p.launches[0])),
    );
    const barriers = loops.map((lists) => lists.map((list) => list.filter((b) => b.place < 0).length));
    const launches = loops.map((lists) => lists.map((list) => list.filter((b) => b.place >= 0).length));
    return { barriers, launches };
  }

  test("units: the threads of an LSTM meet once a step", async () => {
    const { barriers, launches } = await planned(lstm, 1, 128);
    expect(barriers.map((b) => Math.max(...b))).toEqual([1, 1]);
    // The gates in one go, and the map.
    expect(launches.map((l) => Math.max(...l))).toEqual([2, 2]);
  });

  test("rows of a large batch: never in the loop", async () => {
    const { barriers } = await planned(lstm, 32, 128);
    expect(barriers.map((b) => Math.max(...b))).toEqual([0, 0]);
  });

  test("nothing, where one thread is as quick", async () => {
    const { launches, barriers } = await planned(lstm, 1, 16);
    expect(launches.map((l) => Math.max(...l))).toEqual([2, 0]);
    expect(barriers.map((b) => Math.max(...b))).toEqual([0, 0]);
  });
});

describe("one thread", () => {
  const small: Case = { T: 3, B: 1, layers: [layer(lstm, 5)] };
  const runsAlone = async (message: RegExp, module?: object): Promise<void> => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const backend = await openWasm({ threads: 2, ...(module && { module }) });
    expect(warn.mock.calls).toEqual([[expect.stringMatching(message)]]);
    warn.mockRestore();
    expect(backend.name).toBe("wasm");
    expect(results(backend, small)).toEqual(results(one, small));
  };

  test("without cross-origin isolation", async () => {
    vi.stubGlobal("crossOriginIsolated", false);
    await runsAlone(/expected 2 threads, got one: .*Cross-Origin-Opener-Policy/);
  });
  test("without shared memory", async () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    await runsAlone(/Cross-Origin-Opener-Policy/);
  });
  test("without workers", async () => {
    vi.stubGlobal("process", {});
    await runsAlone(/this platform has no workers/);
  });
  test("where workers may not start", async () => {
    vi.stubGlobal("process", {
      getBuiltinModule: () => ({
        Worker: class {
          constructor() {
            throw new Error("forbidden");
          }
        },
      }),
    });
    await runsAlone(/forbidden/);
  });
  test("with a module made for one", async () => {
    const module = new WebAssembly.Module(emitPrebuilt(await shippedMaps(), false));
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const backend = await openWasm({ threads: 2, module });
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/prebuilt-threads\.wasm/)]]);
    warn.mockRestore();
    expect(backend.name).toBe("wasm");
  });
  test("is the default, and no worker is started for it", async () => {
    vi.stubGlobal("process", { getBuiltinModule: () => expect.fail("asked for workers") });
    expect((await openWasm()).name).toBe("wasm");
    expect((await openWasm({ threads: 1 })).name).toBe("wasm");
  });
});

test.each([0, -1, 1.5, 65, Number.NaN, "2" as unknown as number])(
  "threads: %o is refused",
  async (threads) => {
    await expect(openWasm({ threads })).rejects.toMatchObject({
      name: "RecurraError",
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("expected threads, a whole number from 1 to 64") as string,
    });
  },
);

test("threads: 2 has two, and after dispose it refuses to run", async () => {
  const backend = await openWasm({ threads: 2 });
  expect(backend.name).toBe("wasm(threads=2)");
  const model = createModel(stack(recurrent(lstm, { inputSize: 64, hiddenSize: 256 })), backend, { seed: 1 });
  const x = { shape: [8, 4, 64], data: new Float32Array(2048) };
  model.runSync(x);
  backend.dispose();
  backend.dispose();
  expect(() => model.runSync(x)).toThrow(/DISPOSED/);
});

describe("a thread that fails is no reason to wait for ever", () => {
  const lost = { name: "RecurraError", code: "DEVICE_LOST", message: expect.stringContaining("open a new one") as string }; // prettier-ignore
  const thrown = (run: () => unknown): unknown => {
    try {
      run();
    } catch (error) {
      return error;
    }
    return expect.fail("nothing was thrown");
  };
  const x = { shape: [20, 1, 9], data: new Float32Array(180) };
  const start = async () => {
    const { backend, crew } = await openAlways(2, { patience: 1000 });
    const model = createModel(stack(layer(lstm, 64)), backend);
    model.runSync(x);
    return { backend, crew, model };
  };

  test("ended from outside, between calls or just before one", async () => {
    const { crew, model } = await start();
    for (const worker of crew.workers) worker.terminate();
    expect(thrown(() => model.runSync(x))).toMatchObject(lost);
    // And again, at once.
    expect(thrown(() => model.runSync(x))).toMatchObject(lost);
  });

  test("given a command that it can't carry out", async () => {
    const { crew, model } = await start();
    // Spans that lie behind the end of memory.
    const { tour } = crew;
    crew.tour = (task, _from, _to, sections) => tour.call(crew, task, 0xfff00000, 0xfff00014, sections);
    expect(thrown(() => model.runSync(x))).toMatchObject(lost);
    expect(thrown(() => model.runSync(x))).toMatchObject(lost);
  });
});
