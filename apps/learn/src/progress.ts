// How learning goes, on stderr: in a terminal a bar with the loss, elsewhere a line now and then; a curve of each run's loss.
import { clearLine, cursorTo } from "node:readline";
import { SingleBar } from "cli-progress";
import plot from "simple-ascii-chart";

export interface Progress {
  /** A step was taken: what of, the share of it all that lies behind, and the loss. */
  show(doing: string, share: number, loss: number): void;
  /** A line for people. */
  say(message: string): void;
  stop(): void;
}

/** Where nobody sees it change, a line more often than this would only fill a log. */
const QUIET_SECONDS = 10;

export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? bar(stream) : lines(stream);
}

function bar(stream: NodeJS.WriteStream): Progress {
  const single = new SingleBar({
    format: "{bar} {percentage}% {doing}, loss {loss}, {eta_formatted} to go",
    stream,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    linewrap: null,
    barsize: 24,
    fps: 5,
    // One that is redrawn by the clock needs the event loop, which a step holds.
    synchronousUpdate: true,
  });
  let doing = "";
  const clear = () => {
    clearLine(stream, 0);
    cursorTo(stream, 0);
  };
  return {
    show(now, share, loss) {
      const given = { doing: now, loss: digits(loss) };
      // A run of its own has a time of its own.
      if (now !== doing) single.start(1, 0, given);
      doing = now;
      single.update(share, given);
    },
    say(message) {
      clear();
      stream.write(`${message}\n`);
    },
    stop() {
      single.stop();
    },
  };
}

function lines(stream: NodeJS.WriteStream): Progress {
  let last = performance.now();
  return {
    show(doing, share, loss) {
      if (performance.now() - last < QUIET_SECONDS * 1000) return;
      last = performance.now();
      stream.write(`${doing}: ${Math.round(100 * share)}%, loss ${digits(loss)}\n`);
    },
    say: (message) => void stream.write(`${message}\n`),
    stop: () => {},
  };
}

/** The losses of a run as a chart of so many columns: each the mean of what falls into it. */
export function curve(losses: readonly number[], columns = 64): string {
  const count = Math.min(columns, losses.length);
  const edge = (column: number) => Math.floor((column * losses.length) / count);
  const points = Array.from({ length: count }, (_, column): [number, number] => {
    const part = losses.slice(edge(column), edge(column + 1));
    return [edge(column + 1), part.reduce((sum, loss) => sum + loss, 0) / part.length];
  });
  const middle = Math.round(losses.length / 2);
  return plot(points, { width: columns, height: 8, customXAxisTicks: [1, middle, losses.length] });
}

const digits = (value: number): string => value.toPrecision(3);
