import {
  createModel, dense, embedding, gru, recurrent, stack, type AsyncModel, type ErrorCode, type SyncModel,
} from "@recurra/core"; // prettier-ignore
import { openCpu } from "@recurra/backend-cpu";
import { openWasm } from "@recurra/backend-wasm";
import { describe, expect, it } from "vitest";
import { beamSearch } from "../src/beam.ts";
import { generate, type GenerateOptions } from "../src/generate.ts";
import { derived } from "../src/random.ts";
import { sample, type SampleOptions } from "../src/sample.ts";
import { refuses } from "./support/refuses.ts";

const vocabularySize = 4;
const embedded = stack(
  embedding({ vocabularySize, outputSize: 3 }),
  recurrent(gru, { inputSize: 3, hiddenSize: 5 }),
  dense({ inputSize: 5, outputSize: vocabularySize }),
);
const oneHot = stack(
  recurrent(gru, { inputSize: vocabularySize, hiddenSize: 5 }),
  dense({ inputSize: 5, outputSize: vocabularySize }),
);

/** Of larger weights, so that logits aren't all alike. */
function sharpened<M extends SyncModel>(model: M): M {
  const parameters = model.parameters();
  for (const { data } of Object.values(parameters)) data.forEach((v, i) => (data[i] = 3 * v));
  model.setParameters(parameters);
  return model;
}

const taken = async (model: SyncModel | AsyncModel, prompt: number[], options: GenerateOptions) => {
  const ids = [];
  for await (const id of generate(model, prompt, options)) ids.push(id);
  return ids;
};

/** log p of ids after a prompt, from whole sequences. */
function logProbability(model: SyncModel, prompt: number[], ids: readonly number[]): number {
  const all = [...prompt, ...ids];
  const { output } = model.runSync({ shape: [all.length, 1], data: Int32Array.from(all) });
  let sum = 0;
  ids.forEach((id, i) => {
    const at = (prompt.length - 1 + i) * vocabularySize;
    const logits = output.data.slice(at, at + vocabularySize);
    sum += (logits[id] as number) - Math.log(logits.reduce((s, z) => s + Math.exp(z), 0));
  });
  return sum;
}

describe("sample", () => {
  const logits = [0.5, 2, -1, 1.9, 0.5];
  const p = (temperature = 1, ids = [0, 1, 2, 3, 4]) => {
    const exps = logits.map((z, k) => (ids.includes(k) ? Math.exp(z / temperature) : 0));
    const sum = exps.reduce((a, b) => a + b);
    return exps.map((e) => e / sum);
  };
  const cases: [SampleOptions, number[]][] = [
    [{}, p()],
    [{ temperature: 0.5 }, p(0.5)],
    [{ temperature: 3 }, p(3)],
    [{ topK: 2 }, p(1, [1, 3])],
    // Of 0 and 4, which are equal, 0 comes first.
    [{ topK: 3, temperature: 2 }, p(2, [0, 1, 3])],
    [{ topK: 99 }, p()],
    // 0.42, 0.80, 0.89, 0.98, 1.
    [{ topP: 0.4 }, p(1, [1])],
    [{ topP: 0.7 }, p(1, [1, 3])],
    [{ topP: 0.85 }, p(1, [0, 1, 3])],
    [{ topP: 1 }, p()],
    [{ topK: 2, topP: 0.9 }, p(1, [1, 3])],
    [{ topK: 2, topP: 0.5 }, p(1, [1])],
    [{ temperature: 0 }, [0, 1, 0, 0, 0]],
  ];
  it.each(cases)("draws by the probabilities: %o", (options, wanted) => {
    const draw = derived(11);
    const n = 20_000;
    const counts = logits.map(() => 0);
    for (let i = 0; i < n; i++) (counts[sample(logits, draw, options)] as number)++;
    counts.forEach((count, k) => {
      const share = wanted[k] as number;
      // Five standard deviations; what has no probability is never drawn.
      expect(Math.abs(count - n * share)).toBeLessThanOrEqual(5 * Math.sqrt(n * share * (1 - share)) + 1e-6);
    });
  });

  it.each([{ temperature: -1 }, { temperature: NaN }, { topK: 0 }, { topP: 0 }, { topP: 1.1 }])(
    "refuses %o",
    (options) =>
      refuses(
        () => sample(logits, derived(1), options),
        "INVALID_ARGUMENT",
        /sample: top|sample: temperature/,
      ),
  );
});

describe.each([
  ["cpu", () => openCpu()],
  ["wasm", () => openWasm()],
] as const)("on %s", (_, open) => {
  it("generate takes the likeliest by whole sequences, at temperature 0", async () => {
    const model = sharpened(createModel(embedded, await open(), { seed: 2 }));
    const prompt = [1, 3];
    const ids = await taken(model, prompt, { length: 6, temperature: 0 });
    const greedy: number[] = [];
    for (let i = 0; i < 6; i++) {
      const scores = [0, 1, 2, 3].map((id) => logProbability(model, prompt, [...greedy, id]));
      greedy.push(scores.indexOf(Math.max(...scores)));
    }
    expect(ids).toEqual(greedy);
  });

  it("generate gives the same ids for a seed, and others for another", async () => {
    const model = sharpened(createModel(oneHot, await open(), { seed: 2 }));
    const ids = await taken(model, [0], { length: 40, seed: 1 });
    expect(await taken(model, [0], { length: 40, seed: 1 })).toEqual(ids);
    expect(await taken(model, [0], { length: 40, seed: 2 })).not.toEqual(ids);
  });

  it("generate goes on as long as it's asked", async () => {
    const model = createModel(oneHot, await open(), { seed: 2 });
    let count = 0;
    for await (const id of generate(model, [0])) {
      expect(id).toBeLessThan(vocabularySize);
      if (++count === 25) break;
    }
    expect(count).toBe(25);
  });

  it("beamSearch finds the likeliest of all sequences when it keeps enough", async () => {
    const model = sharpened(createModel(embedded, await open(), { seed: 5 }));
    const all: { ids: number[]; logProbability: number }[] = [];
    for (let n = 0; n < 4 ** 4; n++) {
      const whole = [n % 4, (n >> 2) % 4, (n >> 4) % 4, (n >> 6) % 4];
      const end = whole.indexOf(0);
      if (end >= 0 && whole.slice(end + 1).some((id) => id !== 0)) continue;
      const ids = end < 0 ? whole : whole.slice(0, end + 1);
      all.push({ ids, logProbability: logProbability(model, [2], ids) });
    }
    all.sort((a, b) => b.logProbability - a.logProbability);
    const found = await beamSearch(model, [2], { width: 64, length: 4, end: 0 });
    expect(found.length).toBe(64);
    found.forEach(({ ids, logProbability: log }, i) => {
      expect(log).toBeCloseTo(all[i]?.logProbability as number, 5);
      if (
        Math.abs((all[i]?.logProbability as number) - (all[i + 1]?.logProbability as number)) > 1e-4 &&
        Math.abs((all[i]?.logProbability as number) - (all[i - 1]?.logProbability ?? Infinity)) > 1e-4
      )
        expect(ids).toEqual(all[i]?.ids);
    });
  });

  it("beamSearch of width 1 takes the likeliest each time, and wider ones find no worse", async () => {
    let better = 0;
    for (let seed = 1; seed < 12; seed++) {
      const model = sharpened(createModel(embedded, await open(), { seed }));
      const [narrow] = await beamSearch(model, [2, 1], { width: 1, length: 5 });
      expect(narrow?.ids).toEqual(await taken(model, [2, 1], { length: 5, temperature: 0 }));
      const [wide] = await beamSearch(model, [2, 1], { width: 300, length: 5 });
      expect(wide?.logProbability).toBeGreaterThanOrEqual((narrow?.logProbability as number) - 1e-6);
      if ((wide?.logProbability as number) > (narrow?.logProbability as number) + 1e-3) better++;
    }
    expect(better).toBeGreaterThan(0);
  });
});

describe("sample, generate and beamSearch refuse", () => {
  const half = () => 0.5;
  const none = null as never;
  const beam = { width: 2, length: 2 };
  const huge = createModel(stack(dense({ inputSize: 4, outputSize: 4 })), openCpu());
  huge.setParameters(
    Object.fromEntries(
      Object.entries(huge.parameters()).map(([name, { shape, data }]) => [
        name,
        { shape, data: data.fill(3e38) },
      ]),
    ),
  );
  const model = createModel(oneHot, openCpu());
  const wide = createModel(stack(dense({ inputSize: 3, outputSize: 4 })), openCpu());
  it.each<[string, () => unknown, ErrorCode, RegExp]>([
    ["no prompt", () => taken(model, [], {}), "INVALID_ARGUMENT", /prompt/],
    ["an id out of range", () => taken(model, [4], {}), "INVALID_ARGUMENT", /from 0 to 3, got 4/],
    [
      "an input that takes no ids",
      () => taken(wide, [0], {}),
      "SHAPE_MISMATCH",
      /4 logits, got one of width 3/,
    ],
    ["no width", () => beamSearch(model, [0], { width: 0, length: 1 }), "INVALID_ARGUMENT", /width/],
    ["no beam prompt", () => beamSearch(model, [], { width: 1, length: 1 }), "INVALID_ARGUMENT", /prompt/],
    ["NaN", () => sample([1, NaN, 2], half), "NON_FINITE", /of id 1/],
    ["beams of infinity", () => beamSearch(huge, [0], beam), "NON_FINITE", /^beamSearch: expected logits below Infinity, got Infinity of id 0/],
    ["no draw", () => sample([1, 2], none), "INVALID_ARGUMENT", /^sample: draw: expected a function, got null/],
    ["infinity", () => sample([1, Infinity], half), "NON_FINITE", /of id 1/],
    ["no id that can be", () => sample([-Infinity, -Infinity], half), "NON_FINITE", /above -Infinity/],
    ["other options", () => sample([1, 2], half, { topk: 1 } as SampleOptions), "UNKNOWN_NAME", /topk/],
    ["options null", () => sample([1, 2], half, none), "INVALID_ARGUMENT", /^sample/],
    ["a temperature null", () => sample([1, 2], half, { temperature: none }), "INVALID_ARGUMENT", /temperature/],
    ["a topP in text", () => sample([1, 2], half, { topP: "1" as unknown as number }), "INVALID_ARGUMENT", /topP/],
    ["no model", () => generate(none, [1]).next(), "INVALID_ARGUMENT", /^generate: expected a model/],
    ["no prompt", () => generate(model, none).next(), "INVALID_ARGUMENT", /^generate: expected a prompt/],
    ["no prompt for beams", () => beamSearch(model, none, beam), "INVALID_ARGUMENT", /^beamSearch: expected a prompt/],
    ["an end that never comes", () => beamSearch(model, [1], { ...beam, end: 4 }), "INVALID_ARGUMENT", /^beamSearch: end: expected a whole number from 0 to 3/],
  ])("%s", (_, call, code, says) => refuses(call, code, says)); // prettier-ignore
});
