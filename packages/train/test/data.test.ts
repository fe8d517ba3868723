import { describe, expect, it } from "vitest";
import { batches, streamed } from "../src/data/batches.ts";
import { continuous } from "../src/data/continuous.ts";
import type { Data, DataBatch, Example } from "../src/data/data.ts";
import { minMaxScale, scale, standardScale } from "../src/data/scale.ts";
import { splitByTime } from "../src/data/split.ts";
import { vocabulary, vocabularyOf, words } from "../src/data/vocabulary.ts";
import { windows } from "../src/data/windows.ts";
import { derived, shuffled } from "../src/random.ts";
import { refuses } from "./support/refuses.ts";

/** Row r of feature j is r + j / 10. */
const series = (time: number, width = 1) => ({
  shape: [time, width],
  data: Float32Array.from({ length: time * width }, (_, i) => Math.floor(i / width) + (i % width) / 10),
});
const ids = (...data: number[]) => ({ shape: [data.length], data: Int32Array.from(data) });

/** As a caller without types would give it. */
const untyped = <T>(value: unknown): T => value as T;

const all = async (data: Data, epoch = 0, from = 0): Promise<DataBatch[]> => {
  const found = [];
  for await (const batch of data.batches(epoch, from)) found.push(batch);
  return found;
};
/** The examples below carry their number in the first step. */
const numbers = (found: DataBatch[]) =>
  found.map(({ x }) => {
    const { shape, data } = x as Example["x"];
    return Array.from(data.slice(0, shape[1]));
  });
const numbered = (count: number, lengthOf = (_: number) => 1): Example[] =>
  Array.from({ length: count }, (_, i) => {
    const length = lengthOf(i);
    return {
      x: { shape: [length, 1], data: new Float32Array(length).fill(i) },
      target: ids(...Array<number>(length).fill(i)),
    };
  });

describe("batches", () => {
  it("come in the given order without a seed", async () => {
    expect(numbers(await all(batches(numbered(5), { batchSize: 2 })))).toEqual([[0, 1], [2, 3], [4]]);
  });

  it("have every example once an epoch, in an order of the seed and the epoch", async () => {
    const orders = [];
    for (const [seed, epoch] of [
      [1, 0],
      [1, 1],
      [2, 0],
    ] as const) {
      const found = numbers(await all(batches(numbered(300), { batchSize: 2, seed }), epoch)).flat();
      expect([...found].sort((a, b) => a - b)).toEqual(numbered(300).map((_, i) => i));
      orders.push(found.join());
    }
    expect(new Set(orders).size).toBe(3);
    expect(
      numbers(await all(batches(numbered(300), { batchSize: 2, seed: 1 })))
        .flat()
        .join(),
    ).toBe(orders[0]);
  });

  it.each([1, 63, 64, 65, 128, 149, 150])("go on amid an epoch: from batch %i", async (from) => {
    const examples = numbered(300, (i) => 1 + (i % 7));
    for (const data of [
      batches(examples, { batchSize: 2, seed: 1 }),
      batches(examples, { batchSize: 2 }),
      streamed(() => examples, { batchSize: 2, seed: 1 }),
      continuous(series(301), { batchSize: 2, length: 1 }),
    ])
      expect(await all(data, 3, from)).toEqual((await all(data, 3)).slice(from));
  });

  it("put sequences of about one length together", async () => {
    const padded = (found: DataBatch[]) =>
      found.reduce((sum, { x }) => sum + (x as Example["x"]).data.length, 0);
    const examples = numbered(640, (i) => 1 + ((i * 37) % 50));
    const used = examples.reduce((sum, { x }) => sum + x.data.length, 0);
    expect(padded(await all(batches(examples, { batchSize: 8, seed: 1 })))).toBeLessThan(1.1 * used);
    expect(padded(await all(batches(examples, { batchSize: 8 })))).toBeGreaterThan(1.3 * used);
  });

  it("fill shorter sequences up and say how long they are", async () => {
    const [batch] = await all(
      batches(
        numbered(3, (i) => 3 - i),
        { batchSize: 3 },
      ),
    );
    expect(batch).toEqual({
      x: { shape: [3, 3, 1], data: Float32Array.of(0, 1, 2, 0, 1, 0, 0, 0, 0) },
      target: { shape: [3, 3], data: Int32Array.of(0, 1, 2, 0, 1, 0, 0, 0, 0) },
      lengths: [3, 2, 1],
    });
  });

  it("take one target a sequence, and labels without a step", async () => {
    const x = series(2);
    const one = await all(batches([{ x, target: { shape: [], data: Int32Array.of(4) } }], { batchSize: 1 }));
    expect(one[0]?.target).toEqual({ shape: [1], data: Int32Array.of(4) });
    const wide = await all(
      batches([{ x, target: { shape: [2], data: Float32Array.of(4, 5) } }], { batchSize: 1 }),
    );
    expect(wide[0]?.target).toEqual({ shape: [1, 2], data: Float32Array.of(4, 5) });
    const labels = await all(
      batches(
        [
          { x, labels: ids(7) },
          { x, labels: ids(8, 9) },
        ],
        { batchSize: 2 },
      ),
    );
    expect(labels[0]?.target).toEqual({ shape: [2, 2], data: Int32Array.of(7, -1, 8, 9) });
  });

  it("are streamed: no more than a pool is read ahead", async () => {
    let read = 0;
    const data = streamed(
      async function* () {
        for (const example of numbered(10_000)) {
          read++;
          yield example;
        }
      },
      { batchSize: 4, seed: 1 },
    );
    for await (const batch of data.batches(0)) {
      expect(batch.target.data.length).toBe(4);
      break;
    }
    expect(read).toBe(64 * 4);
    const found = numbers(await all(data)).flat();
    expect([...found].sort((a, b) => a - b)).toEqual(numbered(10_000).map((_, i) => i));
    expect(found).not.toEqual(numbers(await all(data, 1)).flat());
  });

  it("refuse what makes no sense", async () => {
    await refuses(() => batches([], { batchSize: 2 }), "INVALID_ARGUMENT", /at least one example/);
    await refuses(() => batches(numbered(1), { batchSize: 0 }), "INVALID_ARGUMENT", /batchSize/);
    const wider: Example = { x: series(1, 2), target: ids(0) };
    await refuses(() => all(batches([...numbered(1), wider], { batchSize: 2 })), "SHAPE_MISMATCH", /row 1/);
    const short: Example = { x: series(3), target: ids(0) };
    await refuses(
      () => all(batches([short], { batchSize: 2 })),
      "SHAPE_MISMATCH",
      /target of row 0.* 3 steps/,
    );
  });
});

describe("windows", () => {
  it("show what was and what came next", () => {
    const sliding = windows(series(5, 2), { length: 2 });
    expect(sliding.size).toBe(3);
    expect(sliding.get(1)).toEqual({
      x: { shape: [2, 2], data: Float32Array.of(1, 1.1, 2, 2.1) },
      target: { shape: [2], data: Float32Array.of(3, 3.1) },
    });
    const further = windows(series(5, 2), { length: 2, ahead: 2, target: "all", columns: [1] });
    expect(further.size).toBe(2);
    expect(further.get(1)).toEqual({
      x: { shape: [2, 2], data: Float32Array.of(1, 1.1, 2, 2.1) },
      target: { shape: [2, 1], data: Float32Array.of(3.1, 4.1) },
    });
    expect(windows(ids(5, 6, 7, 8), { length: 2, target: "all" }).get(1)).toEqual({
      x: ids(6, 7),
      target: ids(7, 8),
    });
  });

  it("refuse a series that's too short", () =>
    refuses(() => windows(series(5), { length: 5 }), "SHAPE_MISMATCH", /at least 6 steps/));
});

describe("continuous", () => {
  it("reads tracks on from batch to batch", async () => {
    const found = await all(continuous(ids(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), { batchSize: 2, length: 3 }));
    expect(found).toEqual([
      {
        x: { shape: [3, 2], data: Int32Array.of(0, 5, 1, 6, 2, 7) },
        target: { shape: [3, 2], data: Int32Array.of(1, 6, 2, 7, 3, 8) },
        continues: false,
      },
      {
        x: { shape: [2, 2], data: Int32Array.of(3, 8, 4, 9) },
        target: { shape: [2, 2], data: Int32Array.of(4, 9, 5, 10) },
        continues: true,
      },
    ]);
  });
});

describe("scales", () => {
  const data = { shape: [4, 3], data: Float32Array.of(1, 7, 0, 2, 7, 10, 3, 7, -10, 6, 7, 20) };

  it("standardise each feature, and back", () => {
    const scaled = standardScale(data).apply(data).data;
    for (const j of [0, 2]) {
      const column = [0, 1, 2, 3].map((t) => scaled[3 * t + j] as number);
      expect(column.reduce((sum, v) => sum + v, 0)).toBeCloseTo(0, 6);
      expect(column.reduce((sum, v) => sum + v * v, 0) / 4).toBeCloseTo(1, 6);
    }
    expect([1, 4, 7, 10].map((i) => scaled[i])).toEqual([0, 0, 0, 0]);
  });

  it("go from 0 to 1", () => {
    expect([...minMaxScale(data).apply(data).data].map((v) => +v.toFixed(3))).toEqual([
      0, 0, 0.333, 0.2, 0, 0.667, 0.4, 0, 0, 1, 0, 1,
    ]);
  });

  it("are inverted, for some columns too, and from stored numbers", () => {
    for (const made of [standardScale(data), minMaxScale(data)]) {
      const stored = JSON.parse(JSON.stringify(made)) as { offset: number[]; divisor: number[] };
      const again = scale(stored.offset, stored.divisor);
      again.invert(made.apply(data)).data.forEach((v, i) => expect(v).toBeCloseTo(data.data[i] as number, 5));
      const column = { shape: [1, 1], data: made.apply(data).data.slice(2, 3) };
      expect(made.invert(column, [2]).data[0]).toBeCloseTo(0, 5);
    }
  });

  it("refuse what isn't a tensor of their features", async () => {
    const made = scale([1, 2], [3, 4]);
    for (const call of [made.apply, made.invert])
      for (const wrong of [
        null,
        { shape: [1, 2] },
        { shape: [1, 2], data: [1, 2] },
        { shape: [1, 2], data: new Float64Array(2) },
        { shape: 2, data: new Float32Array(2) },
      ])
        await refuses(() => call(untyped(wrong)), "INVALID_ARGUMENT", /^scale\.(apply|invert): expected/);
    const short = { shape: [2, 2], data: new Float32Array(3) };
    await refuses(
      () => made.apply(short),
      "SHAPE_MISMATCH",
      /^scale\.apply: expected 4 values for shape \[2, 2\], got 3/,
    );
    const wide = { shape: [2, 3], data: new Float32Array(6) };
    await refuses(
      () => made.apply(wide),
      "SHAPE_MISMATCH",
      /^scale\.apply: expected shape \[any, 2\], got \[2, 3\]/,
    );
    const one = { shape: [2, 1], data: new Float32Array(2) };
    await refuses(
      () => made.invert(one, untyped(1)),
      "INVALID_ARGUMENT",
      /^scale\.invert: columns: expected a list/,
    );
    await refuses(() => made.invert(one, [2]), "INVALID_ARGUMENT", /^scale\.invert: columns: .* from 0 to 1/);
  });

  it("name the step where a number is missing", () =>
    refuses(
      () => standardScale({ shape: [2, 2], data: Float32Array.of(1, 2, 3, NaN) }),
      "NON_FINITE",
      /NaN in feature 1 at step 1/,
    ));
});

describe("splitByTime", () => {
  it("cuts without losing a step, with history where it's asked for", () => {
    const parts = splitByTime(series(10), [4, 7]);
    expect(parts.map(({ shape }) => shape[0])).toEqual([4, 3, 3]);
    expect(parts.flatMap((part) => [...part.data])).toEqual([...series(10).data]);
    const [, second, third] = splitByTime(series(10), [4, 7], { history: 2 });
    expect([...(second?.data ?? [])]).toEqual([2, 3, 4, 5, 6]);
    expect([...(third?.data ?? [])]).toEqual([5, 6, 7, 8, 9]);
  });

  it("refuses cuts out of order", () =>
    refuses(() => splitByTime(series(10), [7, 4]), "INVALID_ARGUMENT", /from 8 to 9/));
});

describe("vocabularies", () => {
  const text = "Zoë saw 2 cats; the cats saw 🐈 too.";

  it("give a text back, by characters and by words", () => {
    for (const options of [{}, { split: words }, { split: words, unknown: "?" }]) {
      const known = vocabulary(text, options);
      const encoded = known.encode(text);
      expect(known.decode(encoded.data)).toBe(text);
      expect(vocabularyOf(known.tokens, options).encode(text)).toEqual(encoded);
    }
    expect(vocabulary(text, { split: words }).encode(text).shape).toEqual([19]);
  });

  it("keep the tokens that come most often", () => {
    const known = vocabulary("b b b a a c", { split: words, most: 2, unknown: "<unk>" });
    expect(known.tokens).toEqual(["<unk>", " ", "b"]);
    expect([...known.encode("b c").data]).toEqual([2, 1, 0]);
  });

  it("are in the order of code points", () => {
    // By UTF-16 the second would come first: it begins with 0xD83D.
    const { tokens } = vocabulary("\u{FF5E}\u{1F600}\u{FF5E}\u{1F600}");
    expect(tokens).toEqual(["\u{FF5E}", "\u{1F600}"]);
  });

  it("refuse what they don't know", async () => {
    await refuses(() => vocabulary("abc").encode("abd"), "UNKNOWN_NAME", /"d"/);
    await refuses(() => vocabulary("abc").decode([3]), "INVALID_ARGUMENT", /from 0 to 2/);
    await refuses(() => vocabulary("abc", { most: 2 }), "INVALID_ARGUMENT", /give unknown/);
  });
});

describe("data refuses", () => {
  const floats = (shape: number[], ...values: number[]) => ({ shape, data: Float32Array.from(values) });
  const x = floats([2, 1], 1, 2);
  const first = (given: readonly object[]) => () => [
    ...untyped<Iterable<unknown>>(batches(untyped(given), { batchSize: 2, seed: 1 }).batches(0)),
  ];
  it.each<[string, () => unknown, RegExp]>([
    ["batches of null", () => batches(untyped(null), { batchSize: 2 }), /^batches: expected examples/],
    ["an example undefined", first(untyped([undefined])), /^row 0: expected an example/],
    ["x in doubles", first([{ x: { shape: [2], data: Float64Array.of(0.5, 1) }, target: ids(1, 1) }]), /^x of row 0: .* got Float64Array/],
    ["a target in a list", first([{ x, target: { shape: [2], data: [0.5, 1] } }]), /^target of row 0: .* got Array/],
    ["labels that aren't whole", first([{ x, labels: floats([2], 1, 0.5) }]), /^labels of row 0: expected .* got 0.5/],
    ["a label below 0", first([{ x, labels: ids(1, -1) }]), /^labels of row 0: expected .* got -1/],
    ["labels for one row alone", first([{ x, labels: ids(1) }, { x, target: ids(1, 1) }]), /^row \d: expected labels/],
    ["a series in doubles", () => continuous(untyped({ shape: [5], data: new Float64Array(5) }), { batchSize: 1, length: 2 }), /^continuous: .* got Float64Array/],
    ["a series in a list", () => windows(untyped({ shape: [3], data: [1, 2, 3] }), { length: 1 }), /^windows: .* got Array/],
    ["columns that are no list", () => windows(series(5, 2), { length: 1, columns: untyped(1) }), /^windows: columns/],
    ["cuts that are no list", () => splitByTime(series(5, 2), untyped(null)), /^splitByTime: at/],
    ["a scale without numbers", () => scale(untyped(null), [1]), /^scale: offset/],
    ["a scale with NaN", () => scale([NaN], [1]), /^scale: offset/],
    ["a vocabulary cut by nothing", () => vocabulary("ab", { split: untyped(null) }), /split: expected a function/],
    ["an unknown that is no token", () => vocabulary("ab", { unknown: untyped(5) }), /unknown: expected a text/],
    ["a split that gives nothing", () => vocabulary("ab", { split: untyped(() => undefined) }), /^vocabulary: split: expected tokens to iterate/],
    ["such a split of another text", () => vocabularyOf(["a"], { split: untyped(() => 5) }).encode("a"), /split: .* got 5/],
    ["ids that are no list", () => vocabulary("ab").decode(untyped(null)), /^vocabulary.decode: expected a list of ids, got null/],
    ["a source that gives no examples", () => all(streamed(untyped(() => 5), { batchSize: 1 })), /^streamed: examples of epoch 0: expected something to iterate, got 5/],
    ["tokens that are no list", () => vocabularyOf(untyped("ab")), /^vocabularyOf: expected a list/],
    ["a text that is none", () => vocabulary("ab").encode(untyped(5)), /^vocabulary.encode: expected a text/],
  ])("%s", (_, make, says) => refuses(make, "INVALID_ARGUMENT", says)); // prettier-ignore
});

describe("what is random", () => {
  it("differs by seed and by every part of the position", () => {
    const firsts = [];
    for (let seed = -2; seed < 8; seed++)
      for (let epoch = 0; epoch < 10; epoch++)
        for (let p = 0; p < 10; p++) firsts.push(derived(seed, epoch, p)());
    expect(new Set(firsts).size).toBe(1000);
    // The first numbers of neighbouring seeds are uniform: each tenth has a tenth, within five standard deviations.
    for (let tenth = 0; tenth < 10; tenth++) {
      const count = firsts.filter((u) => Math.floor(u * 10) === tenth).length;
      expect(Math.abs(count - 100)).toBeLessThan(5 * Math.sqrt(90));
    }
  });

  it("shuffles to every order about equally often", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffled(3, derived(1, i)).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(833));
  });
});
