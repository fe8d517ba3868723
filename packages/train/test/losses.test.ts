/** Losses: against their definitions in float64, with gradients against finite differences, on both backends; and beside PyTorch. */
import { createModel, dense, last, stack, type IdTensor, type SyncBackend, type Tensor } from "@recurra/core";
import { describe, expect, it } from "vitest";
import {
  binaryCrossEntropy, createTrainer, crossEntropy, huber, meanAbsolute, meanSquared, negativeLogLikelihood, sgd, smoothL1, type Loss,
} from "../src/index.ts"; // prettier-ignore
import { backends, numbers } from "./support/backends.ts";
import { besideTorch, runTorch } from "./support/torch.ts";

const [T, B, I, C] = [4, 5, 3, 4];
const lengths = [4, 0, 2, 3, 1];
const draw = numbers(11);
const x = draw(T, B, I);
const values = draw(T, B, C);
const shares = { ...values, data: values.data.map((v) => (v + 1) / 2) };
const ids = {
  shape: [T, B],
  data: Int32Array.from({ length: T * B }, (_, i) => (i === 7 || i === 10 ? -100 : (i * 7) % C)),
};
const weights = [0.5, 2, 0, 1.25];

/** Of a row: its loss, and what it counts in the mean. */
type Definition = (
  y: readonly number[],
  target: readonly number[],
) => readonly [loss: number, counts: number];

const mean = (of: (y: number, t: number) => number): Definition => (y, t) =>
  [y.reduce((sum, v, i) => sum + of(v, t[i]!), 0) / y.length, 1]; // prettier-ignore

const logSoftmax = (z: readonly number[]): number[] => {
  const most = Math.max(...z);
  const sum = most + Math.log(z.reduce((s, v) => s + Math.exp(v - most), 0));
  return z.map((v) => v - sum);
};
const entropy =
  (w: readonly number[] = [1, 1, 1, 1], e = 0, ignore = -100): Definition =>
  (z, [id]) => {
    if (id === ignore) return [0, 0];
    const p = logSoftmax(z);
    const smooth = p.reduce((sum, v, k) => sum - w[k]! * v, 0);
    return [(1 - e) * -w[id!]! * p[id!]! + (e / z.length) * smooth, w[id!]!];
  };

/** PyTorch's functional of a loss, its arguments, and what it is applied to in place of the output. */
type Torch = readonly [name: string, args: Readonly<Record<string, unknown>>];

const cases: readonly (readonly [string, Loss, Tensor | IdTensor, Definition, Torch])[] = [
  ["meanSquared", meanSquared(), values, mean((y, t) => (y - t) ** 2), ["mse_loss", {}]],
  ["meanAbsolute", meanAbsolute(), values, mean((y, t) => Math.abs(y - t)), ["l1_loss", {}]],
  ["huber", huber({ delta: 0.4 }), values, mean((y, t) => (Math.abs(y - t) <= 0.4 ? (y - t) ** 2 / 2 : 0.4 * (Math.abs(y - t) - 0.2))), ["huber_loss", { delta: 0.4 }]],
  ["smoothL1", smoothL1({ beta: 0.5 }), values, mean((y, t) => (Math.abs(y - t) < 0.5 ? (y - t) ** 2 : Math.abs(y - t) - 0.25)), ["smooth_l1_loss", { beta: 0.5 }]],
  ["binaryCrossEntropy", binaryCrossEntropy(), shares, mean((z, t) => -t * Math.log(1 / (1 + Math.exp(-z))) - (1 - t) * Math.log(1 / (1 + Math.exp(z)))), ["binary_cross_entropy_with_logits", {}]],
  ["crossEntropy", crossEntropy(), ids, entropy(), ["cross_entropy", {}]],
  ["crossEntropy, ignoring a class", crossEntropy({ ignoreIndex: 2 }), { ...ids, data: ids.data.map((id) => Math.abs(id % C)) }, entropy(undefined, 0, 2), ["cross_entropy", { ignore_index: 2 }]],
  ["crossEntropy, weighted", crossEntropy({ weights }), ids, entropy(weights), ["cross_entropy", { weight: weights }]],
  ["crossEntropy, smoothed", crossEntropy({ labelSmoothing: 0.2 }), ids, entropy(undefined, 0.2), ["cross_entropy", { label_smoothing: 0.2 }]],
  ["crossEntropy, weighted and smoothed", crossEntropy({ weights, labelSmoothing: 0.1 }), ids, entropy(weights, 0.1), ["cross_entropy", { weight: weights, label_smoothing: 0.1 }]],
  ["negativeLogLikelihood", negativeLogLikelihood({ weights }), ids, (p, [id]) => (id === -100 ? [0, 0] : [-weights[id!]! * p[id!]!, weights[id!]!]), ["nll_loss", { weight: weights }]],
]; // prettier-ignore

/** The loss of W x + b over all rows that have one, in float64. */
function lossOf(
  p: readonly number[],
  target: Tensor | IdTensor,
  of: Definition,
  has: readonly number[] | undefined,
): number {
  let [sum, count] = [0, 0];
  const width = target.data.length / (T * B);
  for (let r = 0; r < T * B; r++) {
    if (has && Math.floor(r / B) >= has[r % B]!) continue;
    const [loss, counts] = of(outputOf(p, r), Array.from(target.data.slice(r * width, (r + 1) * width)));
    sum += loss;
    count += counts;
  }
  return sum / count;
}
const outputOf = (p: readonly number[], r: number): number[] =>
  Array.from({ length: C }, (_, k) => {
    let y = p[C * I + k]!;
    for (let i = 0; i < I; i++) y += p[k * I + i]! * x.data[r * I + i]!;
    return y;
  });

/** Float32 rounds each of T · B · C terms of a mean as it is added up, and about eight times before; of central differences only 1e-10 is left. */
function near(got: number, wanted: number, what: string): void {
  const within = (T * B * C + 8) * 2 ** -24 * Math.max(1, Math.abs(wanted));
  expect(Math.abs(got - wanted), what).toBeLessThanOrEqual(within);
}

const open = (backend: SyncBackend) =>
  createModel(stack(dense({ inputSize: I, outputSize: C })), backend, { seed: 4 });
const flat = (parameters: Readonly<Record<string, Tensor>>): number[] =>
  ["0.W", "0.b"].flatMap((name) => [...parameters[name]!.data]);

describe.each(backends)("%s", (_, openBackend) => {
  it.each(cases)("%s is its definition, and so is its gradient", async (__, loss, target, of) => {
    for (const has of [undefined, lengths]) {
      const backend = await openBackend();
      const model = open(backend);
      const before = flat(model.parameters());
      const trainer = createTrainer(model, { loss, optimizer: sgd({ learningRate: 1 }) });
      const step = await trainer.step({ x, target, ...(has && { lengths: has }) });
      near(step.loss, lossOf(before, target, of, has), "loss");
      const after = flat(model.parameters());
      before.forEach((value, i) => {
        const at = (d: number) => lossOf(before.map((v, j) => (i === j ? value + d : v)), target, of, has);
        near(value - after[i]!, (at(1e-5) - at(-1e-5)) / 2e-5, `parameter ${i}`);
      }); // prettier-ignore
      trainer.dispose();
      model.dispose();
      backend.dispose();
    }
  });

  it("has loss 0 and gradient 0 where nothing has a loss", async () => {
    const backend = await openBackend();
    const network = (end: boolean) => stack(...(end ? [last] : []), dense({ inputSize: I, outputSize: C }));
    for (const [end, steps, batch, has, target] of [
      [false, T, 0, undefined, { shape: [T, 0], data: new Int32Array(0) }],
      [false, 0, B, undefined, { shape: [0, B], data: new Int32Array(0) }],
      [true, T, 0, undefined, { shape: [0], data: new Int32Array(0) }],
      [true, 0, B, undefined, { shape: [B], data: new Int32Array(B) }],
      [false, T, B, [0, 0, 0, 0, 0], { shape: [T, B], data: new Int32Array(T * B).fill(99) }],
      [true, T, B, [0, 0, 0, 0, 0], { shape: [B], data: new Int32Array(B) }],
      [false, T, B, undefined, { shape: [T, B], data: new Int32Array(T * B).fill(-100) }],
    ] as const) {
      const model = createModel(network(end), backend, { seed: 4 });
      const before = model.parameters();
      const trainer = createTrainer(model, {
        loss: crossEntropy(),
        optimizer: sgd({ learningRate: 1 }),
        clip: { norm: 1 },
      });
      const step = await trainer.step({ x: draw(steps, batch, I), target, ...(has && { lengths: has }) });
      expect(step).toMatchObject({ loss: 0, weight: 0, step: 1 });
      expect(model.parameters()).toEqual(before);
      trainer.dispose();
      model.dispose();
    }
    backend.dispose();
  });
});

const script = `
import json, sys, torch
given = json.load(sys.stdin)
out = []
for name, args, target, whole in given["cases"]:
    y = torch.tensor(given["output"], dtype=torch.float64, requires_grad=True)
    t = torch.tensor(target) if whole else torch.tensor(target, dtype=torch.float64).reshape(y.shape)
    if "weight" in args: args["weight"] = torch.tensor(args["weight"], dtype=torch.float64)
    loss = getattr(torch.nn.functional, name)(y, t, **args)
    out.append(loss.item())
json.dump(out, sys.stdout)
`;

besideTorch(() => {
  it("is what the definitions say", () => {
    const p = numbers(2)(C * I + C).data;
    const output = Array.from({ length: T * B }, (_, r) => outputOf([...p], r));
    const given = cases.map(([, , { data }, , [name, args]]) => [name, args, [...data], data instanceof Int32Array]);
    const losses = runTorch(script, { output, cases: given }) as number[];
    cases.forEach(([name, , target, of], i) =>
      expect(lossOf([...p], target, of, undefined), name).toBeCloseTo(losses[i]!, 10));
  }); // prettier-ignore
});
