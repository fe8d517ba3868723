/** Progress in a terminal: a bar for the batches of an epoch (cli-progress), a line for each epoch, and at last the curve of the loss (simple-ascii-chart). */
import { SingleBar } from "cli-progress";
import plot from "simple-ascii-chart";
import type { EpochEvent, FitEvent } from "./events.ts";
import type { Measured } from "./means.ts";

/** Where progress is shown: process.stderr, or what looks like it. */
export type Terminal = NodeJS.WriteStream;

/**
 * Shows events as they come, and hands them on: `for await (const event of inTerminal(fit(…)))`. Where it isn't a terminal there is no bar.
 * @param stream Default: process.stderr, so that stdout stays the program's own
 */
export async function* inTerminal(
  events: AsyncIterable<FitEvent>,
  stream: Terminal = process.stderr,
): AsyncGenerator<FitEvent, void> {
  const done: EpochEvent[] = [];
  let bar: SingleBar | undefined;
  const close = (): void => {
    bar?.stop();
    bar = undefined;
  };
  try {
    for await (const event of events) {
      if (event.type === "step" && event.batches !== undefined) {
        bar ??= barOf(event.epoch, event.batches, stream);
        bar.update(event.batch + 1, { loss: show(event.loss) });
      }
      if (event.type === "epoch") {
        close();
        done.push(event);
        stream.write(`${lineOf(event)}\n`);
      }
      if (event.type === "end" && done.length > 1) stream.write(curveOf(done, stream.columns));
      yield event;
    }
  } finally {
    close();
  }
}

const show = (value: number): string => value.toPrecision(4);

function barOf(epoch: number, batches: number, stream: Terminal): SingleBar {
  const format = `epoch ${epoch + 1} {bar} {value}/{total}  loss {loss}  {eta_formatted} left`;
  const bar = new SingleBar({
    stream,
    format,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
  });
  bar.start(batches, 0, { loss: "" });
  return bar;
}

/** "epoch 3  loss 0.1234  accuracy 0.9  |  validation: loss 0.1301  accuracy 0.88  best". */
export function lineOf({ epoch, validation, best, ...trained }: EpochEvent): string {
  const measured = ({ loss, metrics }: Measured): string =>
    Object.entries({ loss, ...metrics })
      .map(([name, value]) => `${name} ${show(value)}`)
      .join("  ");
  const validated = validation ? `  |  validation: ${measured(validation)}${best ? "  best" : ""}` : "";
  return `epoch ${epoch + 1}  ${measured(trained)}${validated}`;
}

/** The losses by epoch; the validation's in a second colour. */
function curveOf(epochs: readonly EpochEvent[], columns = 80): string {
  const curve = (lossOf: (event: EpochEvent) => number | undefined): [number, number][] =>
    epochs.flatMap((event) => {
      const loss = lossOf(event);
      return loss === undefined ? [] : [[event.epoch + 1, loss]];
    });
  const trained = curve(({ loss }) => loss);
  const validated = curve(({ validation }) => validation?.loss);
  const [first, last] = [trained[0], trained.at(-1)].map((point) => point?.[0] ?? 0) as [number, number];
  return plot(validated.length > 0 ? [trained, validated] : [trained], {
    width: Math.max(20, Math.min(100, columns - 12)),
    height: 12,
    title: "loss by epoch",
    color: ["ansiCyan", "ansiYellow"],
    customXAxisTicks: [first, Math.round((first + last) / 2), last],
    ...(validated.length > 0 && {
      legend: { position: "bottom" as const, series: ["training", "validation"] },
    }),
  });
}
