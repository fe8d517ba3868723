/**
 * Connectionist temporal classification: labels whose places in time aren't known. Graves, Fernández, Gomez & Schmidhuber 2006,
 * "Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural networks". A path says a class, or
 * blank, at every step; repeats and then blanks are taken out of it; the loss is −log of the probability of all paths that leave the
 * labels. Computed in float64 and logarithms, on the host: the sums over paths meet in a lattice that no cell has.
 */
import type { IdTensor } from "@recurra/core";
import { check, checkOptions, checkWhole, fail, show } from "@recurra/core/internal";
import { noLabel } from "./data/collate.ts";
import { isWholes } from "./data/rows.ts";
import { logSoftmax } from "./log-sum.ts";
import type { HostLoss } from "./host-loss.ts";
import type { Batch } from "./types.ts";

export interface CtcOptions {
  /** The class that says nothing. Default: 0. */
  readonly blank?: number;
}

/**
 * The loss of logits [time, batch, classes]; the batch's target is ids [batch, most labels], −1 past a row's labels. The mean is over
 * rows, and isn't divided by how many labels each has, as PyTorch's "mean" is; a row without steps and labels doesn't count.
 */
export function ctc(options: CtcOptions = {}): HostLoss {
  checkOptions(options, ["blank"], "ctc");
  const { blank = 0 } = options;
  checkWhole(blank, "ctc: blank", 0);
  return {
    name: "ctc",
    onHost(output, batch) {
      const { shape, data } = output;
      const rows = readRows(shape, batch, blank);
      const weight = rows.filter(({ steps }) => steps > 0).length;
      const gradient = new Float32Array(data.length);
      const [, size = 0, classes = 0] = shape;
      let sum = 0;
      rows.forEach(({ steps, labels }, row) => {
        if (steps === 0) return;
        const at = (t: number): number => (t * size + row) * classes;
        const logits = Array.from({ length: steps }, (_, t) => data.subarray(at(t), at(t) + classes));
        const found = ctcOf(logits, labels, blank);
        sum += found.loss;
        found.gradient.forEach((line, t) => line.forEach((g, k) => (gradient[at(t) + k] = g / weight)));
      });
      return { loss: weight === 0 ? 0 : sum / weight, weight, gradient: { shape, data: gradient } };
    },
  };
}

/** The loss of one sequence, and its gradient with respect to the logits, by step and class. The loss is ∞ where no path is that short. */
export function ctcOf(
  logits: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  blank = 0,
): { readonly loss: number; readonly gradient: readonly Float64Array[] } {
  const logs = logits.map(logSoftmax);
  // The labels with blanks between and around them: l′ of the paper.
  const states = Array.from({ length: 2 * labels.length + 1 }, (_, s) =>
    s % 2 === 0 ? blank : (labels[(s - 1) / 2] as number),
  );
  const last = logs.length - 1;
  /** A blank may be left out between labels that differ. */
  const skips = (s: number): boolean => s >= 2 && states[s] !== blank && states[s] !== states[s - 2];
  const said = (t: number, s: number): number => (logs[t] as Float64Array)[states[s] as number] as number;

  /** alpha[t][s]: log of all paths up to t that are at s then. */
  const alpha: number[][] = [];
  for (let t = 0; t <= last; t++)
    alpha.push(
      states.map((_, s) => {
        const before = alpha[t - 1];
        if (!before) return s < 2 ? said(0, s) : -Infinity;
        return said(t, s) + logSumOf(before[s], before[s - 1], skips(s) ? before[s - 2] : undefined);
      }),
    );
  /** beta[t][s]: log of all paths after t that were at s then. */
  const beta: number[][] = [];
  for (let t = last; t >= 0; t--) {
    const after = beta[t + 1];
    const from = (s: number): number | undefined =>
      s < states.length ? (after?.[s] as number) + said(t + 1, s) : undefined;
    beta[t] = states.map((_, s) =>
      after
        ? logSumOf(from(s), from(s + 1), skips(s + 2) ? from(s + 2) : undefined)
        : s >= states.length - 2
          ? 0
          : -Infinity,
    );
  }

  const total =
    last < 0 ? (labels.length === 0 ? 0 : -Infinity) : logSumOf(...(alpha[last] as number[]).slice(-2));
  const gradient = logs.map((log, t) => {
    const line = log.map(Math.exp);
    states.forEach((k, s) => {
      const share = Math.exp((alpha[t]?.[s] as number) + (beta[t]?.[s] as number) - total);
      line[k] = (line[k] as number) - share;
    });
    return line;
  });
  return { loss: -total, gradient };
}

/** log of the sum of what these are logarithms of. */
function logSumOf(a = -Infinity, b = -Infinity, c = -Infinity): number {
  const most = a > b ? (a > c ? a : c) : b > c ? b : c;
  return most === -Infinity
    ? most
    : most + Math.log(Math.exp(a - most) + Math.exp(b - most) + Math.exp(c - most));
}

interface Row {
  readonly steps: number;
  readonly labels: readonly number[];
}

/** @throws RecurraError naming the row, where labels don't fit */
function readRows(shape: readonly number[], { target, lengths }: Batch, blank: number): Row[] {
  const [time = 0, size = 0, classes = 0] = shape;
  if (shape.length !== 3)
    fail("SHAPE_MISMATCH", `ctc: expected an output [time, batch, classes], got [${shape.join(", ")}]`);
  checkWhole(blank, "ctc: blank", 0, classes - 1);
  const given = (target ?? {}) as Partial<IdTensor>;
  const { data } = given;
  const most = given.shape?.[1] ?? 0;
  const fits = given.shape?.length === 2 && given.shape[0] === size && data?.length === size * most;
  if (!fits || !(data instanceof Float32Array || isWholes(data)))
    fail(
      "SHAPE_MISMATCH",
      `ctc: expected a target of ids [${size}, most labels], got ${given.shape ? `[${given.shape.join(", ")}] in ` : ""}${show(data)}`,
    );
  return Array.from({ length: size }, (_row, row) => {
    const all = Array.from(data.subarray(row * most, (row + 1) * most));
    const end = all.indexOf(noLabel);
    const labels = end < 0 ? all : all.slice(0, end);
    if (end >= 0)
      all
        .slice(end)
        .forEach((id) => check(id === noLabel, `ctc: batch row ${row}`, "−1 past its labels", id));
    for (const id of labels)
      if (!(Number.isInteger(id) && id >= 0 && id < classes && id !== blank))
        fail(
          "INVALID_ARGUMENT",
          `ctc: batch row ${row}: expected labels from 0 to ${classes - 1} other than ${blank} (blank), got ${id}`,
        );
    const steps = lengths?.[row] ?? time;
    const repeats = labels.filter((id, i) => id === labels[i - 1]).length;
    if (steps < labels.length + repeats)
      fail(
        "INVALID_ARGUMENT",
        `ctc: batch row ${row}: expected at least ${labels.length + repeats} steps for ${labels.length} labels of which ${repeats} repeat the one before, got ${steps}`,
      );
    return { steps, labels };
  });
}
