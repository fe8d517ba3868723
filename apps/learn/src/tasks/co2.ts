// The monthly concentration of CO₂ at Mauna Loa, forecast one month ahead.
//
// The series has a trend and a season, so the network learns what the seasonal naive forecast y[t−1] + y[t−12] − y[t−13] misses:
// d[t] = (y[t] − y[t−1]) − (y[t−12] − y[t−13]). At each month it sees d of that month and of the eleven before, and forecasts the
// next one's. Nothing of the test months is used before they have passed: d is scaled by its spread in the months that are
// trained on, and the months that choose the stopping point lie before those that are tested.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tensor } from "@recurra/core";
import { batches, type Examples, validate, windows } from "@recurra/train";
import type { Experiment } from "../experiment.ts";
import { median, rootMeanSquare } from "../numbers.ts";
import type { Task } from "../task.ts";

const TRAINED = 592;
const CHOOSING = 60;
/** Months before it that a window has. */
const WINDOW = 36;
const MONTHS = 12;
const SEEDS = [1, 2, 3, 4, 5];
const TARGET = 0.46;

/** d from here on is known. */
const FIRST = MONTHS + 1;

/** The column `CO2` of the file. */
export function parseCo2(csv: string): number[] {
  const [header = "", ...rows] = csv.trim().split(/\r?\n/);
  const column = header.split(",").indexOf("CO2");
  const values = rows.map((row) => Number(row.split(",")[column]));
  if (column < 0 || values.some((value) => !(value > 0))) throw new Error("no column CO2 of numbers");
  return values;
}

export const naiveForecast = (y: readonly number[], t: number): number => y[t - 1]! + y[t - 12]! - y[t - 13]!;

/** What the naive forecast misses by month, and its spread where it is trained on; 0 where it isn't known. */
export function residuals(y: readonly number[], trained: number): { d: number[]; spread: number } {
  const d = y.map((value, t) => (t < FIRST ? 0 : value - naiveForecast(y, t)));
  return { d, spread: rootMeanSquare(d.slice(FIRST, trained)) };
}

/** Windows whose target is a month from `from` to before `to`: [WINDOW, 12] → what the naive forecast misses in it. */
export function monthsOf({ d, spread }: ReturnType<typeof residuals>, from: number, to: number): Examples {
  const start = Math.max(FIRST + MONTHS - 1, from - WINDOW);
  const rows = Array.from({ length: to - start }, (_, k) =>
    Array.from({ length: MONTHS }, (_, back) => d[start + k - back]! / spread),
  );
  const series: Tensor = { shape: [rows.length, MONTHS], data: Float32Array.from(rows.flat()) };
  return windows(series, { length: WINDOW, columns: [0] });
}

export const co2: Task = {
  about: `months 1–${TRAINED} are trained on, of which the last ${CHOOSING} choose when to stop; forecasts of the months after from true history; LSTM 32 on windows of ${WINDOW} months, seeds 1–5`,

  async learn({ fetch, train }) {
    const file = join(await fetch("vega-datasets"), "data", "co2-concentration.csv");
    const y = parseCo2(await readFile(file, "utf8"));
    const chosen = TRAINED - CHOOSING;
    const measured = residuals(y, chosen);
    const all = (from: number, to: number) => batches(monthsOf(measured, from, to), { batchSize: to - from });
    const test = all(TRAINED, y.length);

    const errors: number[] = [];
    for (const seed of SEEDS) {
      const experiment: Experiment = {
        net: { input: MONTHS, cell: "lstm", hidden: 32, outputs: 1, last: true },
        seed,
        loss: "meanSquared",
        learningRate: 1e-3,
        clip: 1,
        data: batches(monthsOf(measured, 0, chosen), { batchSize: 32, seed }),
        epochs: 200,
        validation: all(chosen, TRAINED),
        patience: 20,
      };
      const { loss } = await train(`co2 seed ${seed}`, experiment, (trainer) => validate(trainer, test));
      // The forecast is the naive one plus what the network says, so that its error is the network's.
      errors.push(measured.spread * Math.sqrt(loss));
    }
    const naive = rootMeanSquare(measured.d.slice(TRAINED));
    const value = median(errors);
    const each = errors.map((error) => error.toFixed(3)).join(", ");
    return {
      text: `rmse ${value.toFixed(3)} ppm (seasonal naive ${naive.toFixed(3)}), the median of ${each}`,
      value,
    };
  },

  missed: (value) => (value <= TARGET ? undefined : `rmse at most ${TARGET} ppm, got ${value.toFixed(4)}`),
};
