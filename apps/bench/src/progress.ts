// What's being done, on stderr: a bar on a terminal, a line a workload elsewhere.
import { clearLine, cursorTo } from "node:readline";
import { SingleBar } from "cli-progress";

export interface Progress {
  show(doing: string, share: number): void;
  /** Makes room for a line on the same terminal. */
  clear(): void;
  stop(): void;
}

export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? bar(stream) : lines(stream);
}

function bar(stream: NodeJS.WriteStream): Progress {
  const single = new SingleBar({
    format: "{bar} {percentage}% {doing}",
    stream,
    hideCursor: true,
    clearOnComplete: true,
    // Redrawing by the clock would disturb what's being timed.
    fps: 1,
    synchronousUpdate: true,
  });
  single.start(1, 0, { doing: "" });
  return {
    show: (doing, share) => single.update(share, { doing }),
    clear: () => {
      clearLine(stream, 0);
      cursorTo(stream, 0);
    },
    stop: () => single.stop(),
  };
}

function lines(stream: NodeJS.WriteStream): Progress {
  let last = "";
  return {
    show: (doing) => {
      const workload = doing.split(" ", 1)[0]!;
      if (workload !== last) stream.write(`${workload}…\n`);
      last = workload;
    },
    clear: () => {},
    stop: () => {},
  };
}
