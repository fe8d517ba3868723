/** Streams: a frame at a time gives what the whole sequence gives, bit for bit. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  cell, concat, createModel, dense, dropout, embedding, last, lstm, network, recurrent, stack, tanh,
  type Network, type StreamOptions, type SyncModel, type SyncStream, type Tensor,
} from "../src/index.ts"; // prettier-ignore
import { cells } from "./support/all-cells.ts";
import { numbers } from "./support/expected.ts";
import { openPlain, type PlainBackend } from "./support/plain-backend.ts";

const [T, B, I, H] = [7, 2, 3, 4];
const draw = numbers(4);
const x = draw(T, B, I);
const frame = (t: number, { data }: Tensor = x): Float32Array =>
  data.slice((t * data.length) / T, ((t + 1) * data.length) / T);

let backend: PlainBackend;
let models: SyncModel[] = [];
beforeEach(() => {
  backend = openPlain();
});
afterEach(() => {
  for (const model of models) model.dispose();
  models = [];
  expect(backend.live()).toBe(0);
});

const open = (net: Network): SyncModel => {
  const model = createModel(net, backend, { seed: 6 });
  models.push(model);
  return model;
};
const layer = (): Network =>
  stack(recurrent(lstm, { inputSize: I, hiddenSize: H }), dense({ inputSize: H, outputSize: 2 }));
const stream = (options: StreamOptions = { batch: B }): SyncStream => open(layer()).stream(options);

/** All outputs of a stream, a frame after another. */
const steps = (s: SyncStream, from = 0, to = T): number[] =>
  Array.from({ length: to - from }, (_, i) => [...(s.step(frame(from + i)) as Float32Array)]).flat();

describe("step", () => {
  it.each(Object.entries(cells))("%s: the whole sequence, bit for bit", (_, cell) => {
    const model = open(stack(recurrent(cell, { inputSize: I, hiddenSize: H, layers: 2 })));
    const whole = model.runSync(x);
    const s = model.stream({ batch: B });
    expect(steps(s)).toEqual([...whole.output.data]);
    expect(s.save()).toEqual(whole.state);
  });

  it("fills the caller's array and returns it", () => {
    const s = stream();
    const into = new Float32Array(2 * B);
    expect(s.step(frame(0), into)).toBe(into);
    expect([...into]).toEqual([
      ...open(layer())
        .runSync(x)
        .output.data.slice(0, 2 * B),
    ]);
  });

  it("without an array makes a new one each time", () => {
    const s = stream();
    const [a, b] = [s.step(frame(0)), s.step(frame(1))];
    expect(a).not.toBe(b);
    expect([...(a as Float32Array)]).not.toEqual([...(b as Float32Array)]);
  });

  it("goes one sequence at a time unless told otherwise", () => {
    const s = stream({});
    expect(s.batch).toBe(1);
    expect(s.step(new Float32Array(I))).toHaveLength(2);
  });

  it("takes several inputs and gives several outputs by name", () => {
    const net = network({ a: 2, ids: 1 }, ({ a, ids }) => {
      const h = recurrent(lstm, { inputSize: 5, hiddenSize: H })(
        concat(a, embedding({ vocabularySize: 4, outputSize: 3 })(ids)),
      );
      // The last layer's width is part of a wider buffer.
      return { h, both: concat(h, a), latest: last(h) };
    });
    const model = open(net);
    const inputs = {
      a: draw(T, B, 2),
      ids: { shape: [T, B, 1], data: Float32Array.from({ length: T * B }, (_, i) => i % 4) },
    };
    const whole = model.runSync(inputs).outputs;
    const s = model.stream({ batch: B });
    for (let t = 0; t < T; t++) {
      const got = s.step({ a: frame(t, inputs.a), ids: frame(t, inputs.ids) }) as Record<
        string,
        Float32Array
      >;
      expect(got["h"]).toEqual(frame(t, whole["h"]));
      expect(got["both"]).toEqual(frame(t, whole["both"]));
      expect(got["latest"]).toEqual(got["h"]);
    }
  });

  it("ignores dropout", () => {
    const net = (p: number): Network =>
      stack(recurrent(lstm, { inputSize: I, hiddenSize: H, layers: 2, dropout: p }), dropout(p));
    expect(steps(open(net(0.5)).stream({ batch: B }))).toEqual(steps(open(net(0)).stream({ batch: B })));
  });

  it("sees the state before the step, at every step", () => {
    const late = cell({
      name: "late",
      state: ["h"],
      W: ["a"],
      U: ["a"],
      step: ({ x: v, h, W, U }) => ({ h: tanh(W.a.dot(v).plus(U.a.dot(h))), y: tanh(h) }),
    });
    const model = open(stack(recurrent(late, { inputSize: I, hiddenSize: H })));
    expect(steps(model.stream({ batch: B }))).toEqual([...model.runSync(x).output.data]);
  });

  it("follows new parameters at once", () => {
    const model = open(layer());
    const s = model.stream({ batch: B });
    const b = { shape: [2], data: Float32Array.of(100, 200) };
    model.setParameters({ "1.b": b, "1.W": { shape: [2, H], data: new Float32Array(2 * H) } });
    expect([...(s.step(frame(0)) as Float32Array)]).toEqual([100, 200, 100, 200]);
  });
});

describe("reset, save, restore, fork", () => {
  it("reset begins again", () => {
    const s = stream();
    const first = steps(s);
    s.reset();
    expect(steps(s)).toEqual(first);
  });

  it("a stream begins at each state's own initial value", () => {
    const model = open(stack(recurrent(cells["slstm"]!, { inputSize: I, hiddenSize: H })));
    const s = model.stream({ batch: B });
    expect([...s.save()["0.m"]!.data]).toEqual(new Array(B * H).fill(-Infinity));
    steps(s);
    s.reset();
    expect([...s.save()["0.m"]!.data]).toEqual(new Array(B * H).fill(-Infinity));
  });

  it.each([0, 1, 2, 3])("save after %i steps is a copy; restore goes on from there", (at) => {
    const s = stream();
    steps(s, 0, at);
    const saved = s.save();
    const copy = structuredClone(saved);
    const rest = steps(s, at);
    expect(saved).toEqual(copy);
    s.restore(saved);
    expect(steps(s, at)).toEqual(rest);
    const other = stream();
    other.restore(saved);
    expect(steps(other, at)).toEqual(rest);
  });

  it("restore of some states begins the others anew", () => {
    const s = stream();
    steps(s, 0, 3);
    const { "0.c": c } = s.save();
    s.restore({ "0.c": c! });
    expect(s.save()["0.c"]).toEqual(c);
    expect(s.save()["0.h"]!.data.every((v) => v === 0)).toBe(true);
  });

  it("a run's state goes on in a stream, and a stream's in a run", () => {
    const model = open(layer());
    const whole = model.runSync(x);
    const part = (from: number, to: number): Tensor => ({
      shape: [to - from, B, I],
      data: x.data.slice(from * B * I, to * B * I),
    });
    const s = model.stream({ batch: B });
    s.restore(model.runSync(part(0, 3)).state);
    expect(steps(s, 3)).toEqual([...whole.output.data.slice(3 * B * 2)]);
    const t = model.stream({ batch: B });
    steps(t, 0, 4);
    expect(model.runSync(part(4, T), { state: t.save() }).state).toEqual(whole.state);
  });

  it("fork goes its own way", () => {
    const s = stream();
    steps(s, 0, 2);
    const fork = s.fork();
    const expectedRest = steps(open(layer()).stream({ batch: B })).slice(2 * B * 2);
    fork.step(new Float32Array(B * I).fill(9));
    fork.dispose();
    expect(steps(s, 2)).toEqual(expectedRest);
  });

  it("streams of one model don't meet", () => {
    const model = open(layer());
    const [a, b] = [model.stream({ batch: B }), model.stream({ batch: B })];
    const alone = steps(open(layer()).stream({ batch: B }));
    const together = Array.from({ length: T }, (_, t) => {
      b.step(new Float32Array(B * I).fill(t));
      model.runSync(x);
      return [...(a.step(frame(t)) as Float32Array)];
    }).flat();
    expect(together).toEqual(alone);
  });
});

describe("end", () => {
  it("a stream frees what it holds, its model the rest", () => {
    const model = open(layer());
    const before = backend.live();
    const s = model.stream();
    expect(backend.live()).toBeGreaterThan(before);
    s.dispose();
    s.dispose();
    expect(backend.live()).toBe(before);
    using t = model.stream();
    t.step(new Float32Array(I));
    model.stream();
  });

  it("a disposed stream, or one of a disposed model, says so", () => {
    const model = open(layer());
    const [a, b] = [model.stream(), model.stream()];
    a.dispose();
    expect(() => a.step(new Float32Array(I))).toThrow(/stream.*DISPOSED/);
    model.dispose();
    for (const use of [
      () => b.step(new Float32Array(I)),
      () => b.save(),
      () => b.reset(),
      () => b.fork(),
      () => model.stream(),
    ])
      expect(use).toThrow(/DISPOSED/);
  });

  it("a network that needs the future has no stream", () => {
    for (const options of [{ reverse: true }, { bidirectional: true }])
      expect(() =>
        open(stack(recurrent(lstm, { inputSize: I, hiddenSize: H, ...options }))).stream(),
      ).toThrow(/reverse.*UNSUPPORTED/);
  });
});
