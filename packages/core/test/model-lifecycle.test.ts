/** A model from its opening to its disposal: memory, empty calls, and backends that answer later. */
import { describe, expect, it } from "vitest";
import type { Backend } from "../src/backend.ts";
import {
  createModel,
  dense,
  gradient,
  gradientSync,
  gru,
  last,
  lstm,
  recurrent,
  RecurraError,
  stack,
} from "../src/index.ts";
import { numbers } from "./support/expected.ts";
import { openLater } from "./support/later-backend.ts";
import { openPlain } from "./support/plain-backend.ts";

const draw = numbers(7);
const net = stack(
  recurrent(lstm, { inputSize: 3, hiddenSize: 4, bidirectional: true }),
  dense({ inputSize: 8, outputSize: 2 }),
);
const x = draw(3, 2, 3);

describe("memory", () => {
  it("is freed with the model, and once", () => {
    const backend = openPlain();
    const model = createModel(net, backend);
    expect(backend.live()).toBeGreaterThan(0);
    model.runSync(x, { trace: true, lengths: [1, 3] });
    gradientSync(model, x, {});
    model.dispose();
    model.dispose();
    expect(backend.live()).toBe(0);
    {
      using other = createModel(net, backend);
      other.runSync(x);
    }
    expect(backend.live()).toBe(0);
  });

  it("doesn't grow with calls, whatever their sizes", () => {
    const backend = openPlain();
    const model = createModel(net, backend);
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8];
    const all = (): void => {
      for (const batch of sizes) {
        model.runSync(draw(batch, batch, 3));
        gradientSync(model, draw(2, batch, 3), {});
      }
    };
    all();
    const after = backend.live();
    all();
    all();
    expect(backend.live()).toBe(after);
    model.dispose();
    expect(backend.live()).toBe(0);
  });

  it("is freed when there isn't enough, and the model goes on", () => {
    const plain = openPlain();
    let room = Infinity;
    const backend = {
      ...plain,
      alloc(length: number) {
        if (length > room)
          throw new RecurraError("OUT_OF_MEMORY", `tight: expected at most ${room} floats, got ${length}`);
        return plain.alloc(length);
      },
    };
    const model = createModel(net, backend);
    const expected = model.runSync(x).output;
    const before = plain.live();
    room = 300;
    const large = draw(50, 4, 3);
    for (const call of [() => model.runSync(large), () => gradientSync(model, large, {})])
      expect(call).toThrow(/OUT_OF_MEMORY/);
    const streaming = createModel(stack(recurrent(lstm, { inputSize: 3, hiddenSize: 4 })), backend);
    expect(() => streaming.stream({ batch: 100 })).toThrow(/OUT_OF_MEMORY/);
    streaming.dispose();
    expect(plain.live()).toBeLessThanOrEqual(before);
    expect(model.runSync(x).output).toEqual(expected);
    room = 2;
    expect(() => createModel(net, backend)).toThrow(/OUT_OF_MEMORY/);
    model.dispose();
    expect(plain.live()).toBe(0);
  });
});

describe("no steps, or no rows", () => {
  it.each([
    [0, 2],
    [3, 0],
    [0, 0],
  ])("T %i, B %i: empty results, and states as they were", (T, B) => {
    const model = createModel(net, openPlain());
    const empty = draw(T, B, 3);
    const state = { "0.l0.c": draw(B, 4) };
    const { output, trace, state: final } = model.runSync(empty, { state, trace: true });
    expect(output).toEqual({ shape: [T, B, 2], data: new Float32Array(T * B * 2) });
    expect(trace["0.l0.f"]!.shape).toEqual([T, B, 4]);
    expect(final["0.l0.c"]).toEqual(state["0.l0.c"]);
    expect(final["0.l0.h"]).toEqual({ shape: [B, 4], data: new Float32Array(B * 4) });
    expect(model.runSync(empty, { output: "last" }).output).toEqual({
      shape: [B, 2],
      data: new Float32Array(B * 2),
    });
    expect(model.runSync({ shape: [B, T, 3], data: empty.data }, { batchFirst: true }).output.shape).toEqual([
      B,
      T,
      2,
    ]);
    expect(model.runSync(empty, { lengths: new Array<number>(B).fill(0) }).output.shape).toEqual([T, B, 2]);

    const seed = { "0.l0.h": draw(B, 4) };
    const back = gradientSync(model, empty, { state: seed });
    for (const [name, { shape, data }] of Object.entries(back.parameters)) {
      expect(shape).toEqual(model.parameters()[name]!.shape);
      expect(data.every((v) => v === 0)).toBe(true);
    }
    expect(back.input!.shape).toEqual([T, B, 3]);
    expect(back.initialState["0.l0.h"]).toEqual(seed["0.l0.h"]);
    expect(model.runSync(x).output.data.every(Number.isFinite)).toBe(true);
  });

  it("many steps of no rows aren't walked", () => {
    const model = createModel(net, openPlain());
    const empty = { shape: [1e7, 0, 3], data: new Float32Array(0) };
    expect(model.runSync(empty).output.shape).toEqual([1e7, 0, 2]);
    expect(gradientSync(model, empty, {}).parameters["1.b"]!.data).toEqual(new Float32Array(2));
  });

  it("last of no steps is 0", () => {
    const model = createModel(stack(recurrent(gru, { inputSize: 3, hiddenSize: 4 }), last), openPlain());
    expect(model.runSync(draw(0, 2, 3)).output).toEqual({ shape: [2, 4], data: new Float32Array(8) });
  });
});

describe("on a backend that answers later", () => {
  const open = () => {
    const backend = openLater();
    return { backend, model: createModel(net, backend, { seed: 2 }) };
  };
  const sync = createModel(net, openPlain(), { seed: 2 });

  it("the model is asynchronous, and gives the same", async () => {
    const { model } = open();
    expect("runSync" in model).toBe(false);
    expect("runSync" in sync).toBe(true);
    expect(() => gradientSync(model as never, x, {})).toThrow(
      /synchronous backend.*await gradient.*UNSUPPORTED/,
    );
    expect(await model.run(x, { trace: true })).toEqual(sync.runSync(x, { trace: true }));
    expect(await sync.run(x)).toEqual(sync.runSync(x));
    const loss = { output: draw(3, 2, 2) };
    expect(await gradient(model, x, loss)).toEqual(gradientSync(sync, x, loss));
  });

  it("a second call while the first is awaited is BUSY, and harms neither", async () => {
    const { model } = open();
    const first = model.run(x);
    await expect(model.run(x)).rejects.toThrow(/first is awaited.*BUSY/);
    await expect(gradient(model, x, {})).rejects.toThrow(/BUSY/);
    expect(() => model.setParameters({})).toThrow(/BUSY/);
    expect((await first).output).toEqual(sync.runSync(x).output);
    expect((await model.run(x)).output).toEqual(sync.runSync(x).output);
  });

  it("a call that fails leaves the model free for the next", async () => {
    const { model } = open();
    await expect(model.run(draw(3, 2, 4))).rejects.toThrow(/SHAPE_MISMATCH/);
    expect((await model.run(x)).output).toEqual(sync.runSync(x).output);
  });

  it("a model disposed while a call is awaited says so", async () => {
    const { backend, model } = open();
    const call = model.run(x, { trace: true });
    model.dispose();
    await expect(call).rejects.toThrow(/DISPOSED/);
    expect(backend.live()).toBe(0);
    await expect(model.run(x)).rejects.toThrow(/DISPOSED/);
  });
});

describe("a stream that answers later", () => {
  const forward = stack(recurrent(lstm, { inputSize: 3, hiddenSize: 4 }));
  const sync = createModel(forward, openPlain(), { seed: 2 });
  const frames = [0, 1, 2].map(() => draw(1, 3).data);

  it("steps, saves, restores and forks like a synchronous one", async () => {
    const model = createModel(forward, openLater(), { seed: 2 });
    const [later, now] = [model.stream(), sync.stream()];
    for (const frame of frames) expect(await later.step(frame)).toEqual(now.step(frame));
    expect(await later.save()).toEqual(now.save());
    const fork = await later.fork();
    later.reset();
    expect(await fork.step(frames[0]!)).toEqual(now.step(frames[0]!));
    now.reset();
    const into = new Float32Array(4);
    expect(await later.step(frames[1]!, into)).toBe(into);
    expect(into).toEqual(now.step(frames[1]!));
    model.dispose();
    expect((model.engine.backend as Backend & { live(): number }).live()).toBe(0);
  });

  it.each(["step", "save"] as const)(
    "anything while a %s is awaited is BUSY, and harms nothing",
    async (what) => {
      const s = createModel(forward, openLater(), { seed: 2 }).stream();
      const now = sync.stream();
      await s.step(frames[0]!);
      const first = now.step(frames[0]!);
      const waiting = what === "step" ? s.step(frames[1]!) : s.save();
      await expect(s.step(frames[2]!)).rejects.toThrow(/BUSY/);
      await expect(s.save()).rejects.toThrow(/BUSY/);
      await expect(s.fork()).rejects.toThrow(/BUSY/);
      expect(() => s.reset()).toThrow(/BUSY/);
      if (what === "save") expect(await waiting).toEqual(now.save());
      else expect(await waiting).toEqual(now.step(frames[1]!));
      expect(await s.step(frames[2]!)).toEqual(now.step(frames[2]!));
      expect(first).toHaveLength(4);
    },
  );

  it("disposed while a step is awaited says so", async () => {
    const model = createModel(forward, openLater(), { seed: 2 });
    const s = model.stream();
    const step = s.step(frames[0]!);
    s.dispose();
    await expect(step).rejects.toThrow(/DISPOSED/);
    model.dispose();
  });
});
