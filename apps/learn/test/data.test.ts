// Reading what was fetched, and drawing what wasn't.
import { describe, expect, test } from "vitest";
import { parseIdx } from "../src/idx.ts";
import { draws } from "../src/random.ts";
import { drawReber, isPredicted, SYMBOLS } from "../src/reber.ts";
import { addingBatch, addingData } from "../src/tasks/adding.ts";
import { monthsOf, naiveForecast, parseCo2, residuals } from "../src/tasks/co2.ts";
import { digits } from "../src/tasks/mnist-rows.ts";
import { exampleOf } from "../src/tasks/reber.ts";
import { anywhere, bigramBits, parseDocument, throughout } from "../src/tasks/text.ts";

describe("idx files", () => {
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 3);
  const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 51, 102, 255);

  test("give bytes by their shape", () => {
    expect(parseIdx(labels, "labels")).toEqual({ shape: [2], data: Uint8Array.of(7, 3) });
    expect(parseIdx(images, "images").shape).toEqual([2, 1, 2]);
  });

  test.each([
    ["cut short", labels.subarray(0, 9), "expected 2 values for its shape [2], got 1"],
    ["cut in its head", labels.subarray(0, 6), "expected an idx file of bytes"],
    ["empty", new Uint8Array(), "expected an idx file of bytes"],
    ["of floats", Uint8Array.of(0, 0, 13, 1, 0, 0, 0, 0), "expected an idx file of bytes"],
    ["too long", Uint8Array.of(...labels, 1), "expected 2 values for its shape [2], got 3"],
  ])("one that is %s is refused", (_, file, message) => {
    expect(() => parseIdx(file, "file")).toThrow(message);
  });

  test("make digits: rows of pixels from 0 to 1, and one id", () => {
    const { size, get } = digits(parseIdx(images, "images"), parseIdx(labels, "labels"));
    expect(size).toBe(2);
    expect(get(1)).toEqual({
      x: { shape: [1, 2], data: Float32Array.of(102 / 255, 1) },
      target: { shape: [], data: Int32Array.of(3) },
    });
    const short = { shape: [1], data: Uint8Array.of(1) };
    expect(() => digits(parseIdx(images, "images"), short)).toThrow("expected 2 labels");
  });
});

describe("co2", () => {
  const draw = draws(5);
  const y = Array.from(
    { length: 200 },
    (_, t) => 300 + t / 10 + 3 * Math.sin((2 * Math.PI * t) / 12) + draw(),
  );

  test("the column is found by its name", () => {
    expect(parseCo2("Date,CO2,adjusted CO2\n1958-03-01,315.70,314.44\r\n1958-04-01,317.46,1\n")).toEqual([
      315.7, 317.46,
    ]);
    expect(() => parseCo2("Date,CO\n1958,3\n")).toThrow("no column CO2");
    expect(() => parseCo2("Date,CO2\n1958,\n")).toThrow("no column CO2 of numbers");
  });

  test("a window ends the month before its target, which is what the naive forecast misses", () => {
    const measured = residuals(y, 150);
    const { size, get } = monthsOf(measured, 150, 160) as {
      size: number;
      get(i: number): ReturnType<typeof exampleOf>;
    };
    expect(size).toBe(10);
    const { x, target } = get(3);
    expect(x.shape).toEqual([36, 12]);
    const scaled = (t: number) => Math.fround((y[t]! - naiveForecast(y, t)) / measured.spread);
    expect(target.data[0]).toBeCloseTo(scaled(153), 6);
    expect(x.data[35 * 12]).toBeCloseTo(scaled(152), 6);
    expect(x.data[35 * 12 + 11]).toBeCloseTo(scaled(141), 6);
    expect(x.data[0]).toBeCloseTo(scaled(117), 6);
  });

  test("nothing that is trained on depends on later months", () => {
    const other = y.map((value, t) => (t < 150 ? value : 2 * value));
    const all = (series: readonly number[]) => {
      const { size, get } = monthsOf(residuals(series, 150), 0, 150);
      return Array.from({ length: size }, (_, k) => get(k));
    };
    expect(all(other)).toEqual(all(y));
    expect(residuals(other, 150).spread).toBe(residuals(y, 150).spread);
  });
});

describe("text", () => {
  const ids = { shape: [10], data: Int32Array.of(0, 1, 0, 1, 0, 1, 0, 1, 0, 1) };

  test("sentences become lines", () => expect(parseDocument('["One.","Two."]')).toBe("One.\nTwo.\n"));

  test("bigram bits: pairs are counted once more", () => {
    // After 0 comes 1 in 6 of 7 counts, after 1 comes 0 in 5 of 6.
    const test = { shape: [3], data: Int32Array.of(0, 1, 0) };
    expect(bigramBits(ids, test, 2)).toBeCloseTo(-(Math.log2(6 / 7) + Math.log2(5 / 6)) / 2, 12);
  });

  test("windows from anywhere are the same for the same seed", () => {
    const long = { shape: [1000], data: Int32Array.from({ length: 1000 }, (_, k) => k) };
    const of = (seed: number) => {
      const { size, get } = anywhere(long, 4, 50, seed);
      return Array.from({ length: size }, (_, k) => get(k).x.data[0]!);
    };
    expect(of(1)).toEqual(of(1));
    expect(of(2)).not.toEqual(of(1));
    expect(new Set(of(1)).size).toBeGreaterThan(40);
  });

  test("windows throughout have every character as a target but the first, and at most a rest", () => {
    const { size, get } = throughout({ shape: [10], data: Int32Array.from({ length: 10 }, (_, k) => k) }, 3);
    const targets = Array.from({ length: size }, (_, k) => {
      const example = get(k);
      return "target" in example ? [...example.target.data] : [];
    });
    expect(targets.flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe("the adding problem", () => {
  test("a mark in each half, and the sum of the marked numbers", () => {
    const { x, target } = addingBatch(11, 40, 1);
    const { data } = x as { data: Float32Array };
    for (let b = 0; b < 40; b++) {
      const steps = Array.from({ length: 11 }, (_, t) => [
        data[(t * 40 + b) * 2]!,
        data[(t * 40 + b) * 2 + 1]!,
      ]);
      const marked = steps.flatMap(([, mark], t) => (mark === 1 ? [t] : []));
      expect(marked).toHaveLength(2);
      expect(marked[0]).toBeLessThan(5);
      expect(marked[1]).toBeGreaterThanOrEqual(5);
      expect(target.data[b]).toBeCloseTo(steps[marked[0]!]![0]! + steps[marked[1]!]![0]!, 6);
    }
    const values = [...data].filter((_, k) => k % 2 === 0);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(values.reduce((a, b) => a + b) / values.length).toBeCloseTo(0.5, 1);
  });

  test("the same batches for an epoch each time, others for each epoch", () => {
    const data = addingData(10, 1, 3);
    const of = (epoch: number, from?: number) => [...(data.batches(epoch, from) as Iterable<unknown>)];
    expect(of(0)).toEqual(of(0));
    expect(of(0, 2)).toEqual(of(0).slice(2));
    expect(of(1)).not.toEqual(of(0));
  });
});

describe("the embedded Reber grammar", () => {
  const draw = draws(9);
  const strings = Array.from({ length: 300 }, () => drawReber(draw));

  test("its strings are those of the published graph", () => {
    // The graph as a regular expression, derived from its drawing apart from the table.
    const lower = "T*V(?:PXT*V)*(?:V|PS)";
    const inner = new RegExp(`^B(?:TS*X(?:S|X${lower})|P${lower})E$`);
    for (const { symbols } of strings) {
      expect(symbols).toMatch(/^B[TP]B.*E[TP]E$/);
      expect(symbols[1]).toBe(symbols.at(-2));
      expect(symbols.slice(2, -2)).toMatch(inner);
    }
    expect(new Set(strings.map(({ symbols }) => symbols[1])).size).toBe(2);
  });

  test("what follows is among what may follow", () => {
    for (const { symbols, legal } of strings) {
      expect(legal).toHaveLength(symbols.length - 1);
      legal.forEach((may, t) => expect(may).toContain(symbols[t + 1]));
    }
  });

  test("a string is predicted when all legal symbols come before all others", () => {
    const string = strings[0]!;
    const right = (t: number, k: number) => (string.legal[t]!.includes(SYMBOLS[k]!) ? 1 : 0);
    expect(isPredicted(string, right)).toBe(true);
    expect(isPredicted(string, () => 0)).toBe(false);
    expect(isPredicted(string, () => NaN)).toBe(false);
    // The symbol that was to be kept is the hard one: the last but one.
    const last = string.legal.length - 2;
    expect(isPredicted(string, (t, k) => (t === last && "TP".includes(SYMBOLS[k]!) ? 1 : right(t, k)))).toBe(
      false,
    );
  });

  test("an example is one-hot symbols and the id of each next one", () => {
    const { x, target } = exampleOf({ symbols: "BTE", legal: [] });
    expect([...x.data]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    expect([...target.data]).toEqual([1, 6]);
  });
});
