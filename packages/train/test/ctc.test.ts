import { describe, expect, it } from "vitest";
import { ctc, ctcOf } from "../src/ctc.ts";
import { derived } from "../src/random.ts";
import { refuses } from "./support/refuses.ts";
import { besideTorch, runTorch } from "./support/torch.ts";

const softmax = (logits: readonly number[]): number[] => {
  const exps = logits.map(Math.exp);
  const sum = exps.reduce((a, b) => a + b);
  return exps.map((e) => e / sum);
};

/** The paper's B: repeats are taken out, then blanks. */
const labelsOf = (path: readonly number[], blank: number): number[] =>
  path.filter((k, t) => k !== path[t - 1]).filter((k) => k !== blank);

/** −log Σ over all paths there are. */
function enumerated(
  logits: readonly (readonly number[])[],
  labels: readonly number[],
  blank: number,
): number {
  const p = logits.map(softmax);
  const classes = p[0]?.length ?? 0;
  let sum = 0;
  for (let n = 0; n < classes ** p.length; n++) {
    const path = p.map((_, t) => Math.floor(n / classes ** t) % classes);
    if (labelsOf(path, blank).join() === labels.join())
      sum += path.reduce((product, k, t) => product * (p[t]?.[k] as number), 1);
  }
  return -Math.log(sum);
}

const cases: { logits: number[][]; labels: number[]; blank: number }[] = [];
for (let steps = 1; steps <= 6; steps++)
  for (let classes = 2; classes <= 4; classes++)
    for (let blank = 0; blank < classes; blank += 2)
      for (let length = 0; length <= steps; length++) {
        const draw = derived(steps, classes, blank, length);
        const others = Array.from({ length: classes }, (_, k) => k).filter((k) => k !== blank);
        const labels = Array.from({ length }, () => others[Math.floor(draw() * others.length)] as number);
        const logits = Array.from({ length: steps }, () =>
          Array.from({ length: classes }, () => 6 * draw() - 3),
        );
        cases.push({ logits, labels, blank });
      }
const feasible = cases.filter(({ logits, labels }) => {
  const repeats = labels.filter((k, i) => k === labels[i - 1]).length;
  return labels.length + repeats <= logits.length;
});

describe("ctc", () => {
  it("is −log of the sum over all paths", () => {
    expect(feasible.length).toBeGreaterThan(60);
    for (const { logits, labels, blank } of feasible) {
      const wanted = enumerated(logits, labels, blank);
      expect(Math.abs(ctcOf(logits, labels, blank).loss - wanted)).toBeLessThan(1e-12 * Math.max(1, wanted));
    }
  });

  it("is infinite where there is no path", () => {
    const rest = cases.filter((one) => !feasible.includes(one));
    expect(rest.length).toBeGreaterThan(10);
    for (const { logits, labels, blank } of rest) {
      expect(enumerated(logits, labels, blank)).toBe(Infinity);
      expect(ctcOf(logits, labels, blank).loss).toBe(Infinity);
    }
  });

  it("has the gradient of finite differences", () => {
    const h = 1e-5;
    for (const { logits, labels, blank } of feasible)
      ctcOf(logits, labels, blank).gradient.forEach((line, t) =>
        line.forEach((g, k) => {
          const moved = (by: number) =>
            ctcOf(
              logits.map((row, u) => row.map((z, j) => (u === t && j === k ? z + by : z))),
              labels,
              blank,
            ).loss;
          // Central differences: h² times a third derivative of at most 1, and 2⁻⁵² · loss / h of rounding.
          expect(Math.abs(g - (moved(h) - moved(-h)) / (2 * h))).toBeLessThan(h * h + (20 * 2 ** -52) / h);
        }),
      );
  });

  it("stays finite over long sequences and extreme logits", () => {
    const draw = derived(1);
    const logits = Array.from({ length: 2000 }, () => Array.from({ length: 5 }, () => 2e4 * (draw() - 0.5)));
    const { loss, gradient } = ctcOf(
      logits,
      Array.from({ length: 300 }, (_, i) => 1 + (i % 4)),
    );
    expect(loss).toBeGreaterThan(0);
    expect(loss).toBeLessThan(Infinity);
    // Logarithms as large as the loss are added at each of 2000 steps, each time rounded.
    const rounding = 2000 * 2 ** -52 * loss;
    for (const line of gradient) for (const g of line) expect(Math.abs(g)).toBeLessThan(1 + rounding);
  });

  describe("of a batch", () => {
    /** [time 4, batch 3, classes 3], with NaN past the rows' ends. */
    const lengths = [4, 2, 0];
    const draw = derived(5);
    const data = Float32Array.from({ length: 36 }, (_, i) =>
      Math.floor(i / 9) < (lengths[Math.floor(i / 3) % 3] as number) ? 2 * draw() : NaN,
    );
    const output = { shape: [4, 3, 3], data };
    const x = { shape: [4, 3, 1], data: new Float32Array(12) };
    const target = { shape: [3, 2], data: Int32Array.of(1, 2, 2, -1, -1, -1) };
    const rowOf = (row: number) =>
      Array.from({ length: lengths[row] as number }, (_, t) =>
        data.subarray((t * 3 + row) * 3, (t * 3 + row) * 3 + 3),
      );

    it("is the mean over rows that have steps", () => {
      const found = ctc().onHost(output, { x, target, lengths });
      const [a, b] = [ctcOf(rowOf(0), [1, 2]), ctcOf(rowOf(1), [2])];
      expect(found.weight).toBe(2);
      expect(found.loss).toBeCloseTo((a.loss + b.loss) / 2, 12);
      expect(found.gradient.data[(2 * 3 + 0) * 3 + 1]).toBe(Math.fround((a.gradient[2]?.[1] as number) / 2));
      expect(found.gradient.data[(1 * 3 + 1) * 3 + 2]).toBe(Math.fround((b.gradient[1]?.[2] as number) / 2));
      found.gradient.data.forEach((g, i) => {
        if (Number.isNaN(data[i])) expect(g).toBe(0);
      });
    });

    it("is 0, and so is its gradient, where nothing has a step", () => {
      const empty = { x, target: { shape: [3, 0], data: new Int32Array() }, lengths: [0, 0, 0] };
      const { loss, weight, gradient } = ctc().onHost(output, empty);
      expect([loss, weight]).toEqual([0, 0]);
      expect(gradient.data.every((g) => g === 0)).toBe(true);
    });

    it.each([
      [
        "a label out of range",
        Int32Array.of(1, 3, 2, -1, -1, -1),
        /row 0: expected labels from 0 to 2 .* got 3/,
      ],
      ["a label that is blank", Int32Array.of(1, 2, 0, -1, -1, -1), /row 1: .* got 0/],
      ["labels after the end", Int32Array.of(-1, 2, 2, -1, -1, -1), /row 0: .* got 2/],
      [
        "more labels than steps",
        Int32Array.of(1, 2, 2, 2, -1, -1),
        /row 1: expected at least 3 steps for 2 labels/,
      ],
      ["labels without a step", Int32Array.of(1, 2, 2, -1, 1, -1), /row 2: expected at least 1 steps/],
    ])("refuses %s", (_, ids, says) =>
      refuses(
        () => ctc().onHost(output, { x, target: { shape: [3, 2], data: ids }, lengths }),
        "INVALID_ARGUMENT",
        says,
      ),
    );
  });
});

const script = `
import json, sys, torch
out = []
for case in json.load(sys.stdin):
    y = torch.tensor(case["logits"], dtype=torch.float64, requires_grad=True)
    logs = torch.log_softmax(y, 1).unsqueeze(1)
    labels = torch.tensor([case["labels"]], dtype=torch.long)
    loss = torch.nn.functional.ctc_loss(logs, labels, torch.tensor([len(y)]), torch.tensor([len(case["labels"])]), blank=case["blank"], reduction="sum")
    loss.backward()
    out.append([loss.item(), y.grad.tolist()])
json.dump(out, sys.stdout)
`;

besideTorch(() => {
  it("has the same loss and gradient, in float64", () => {
    const draw = derived(7);
    const long = Array.from({ length: 12 }, (_, i) => ({
      logits: Array.from({ length: 40 + i }, () => Array.from({ length: 9 }, () => 8 * draw() - 4)),
      labels: Array.from({ length: 1 + i }, () => 1 + Math.floor(8 * draw())),
      blank: 0,
    }));
    // PyTorch 1.13 takes no empty list of labels beside others'.
    const given = [...feasible.filter(({ labels }) => labels.length > 0), ...long];
    const wanted = runTorch(script, given) as [number, number[][]][];
    expect(wanted.length).toBeGreaterThan(60);
    given.forEach(({ logits, labels, blank }, i) => {
      const [loss, gradient] = wanted[i]!;
      const found = ctcOf(logits, labels, blank);
      expect(Math.abs(found.loss - loss), `loss of ${i}`).toBeLessThan(1e-10 * Math.max(1, loss));
      found.gradient.forEach((line, t) =>
        line.forEach((g, k) =>
          expect(Math.abs(g - gradient[t]![k]!), `gradient of ${i}`).toBeLessThan(1e-10),
        ),
      );
    });
  });
});
