// What's being done, on stderr: one line that changes on a terminal, elsewhere a line now and then.
import { clearLine, cursorTo } from "node:readline";

export interface Progress {
  show(doing: string): void;
  /** Takes the changing line away, so that results can be printed where it was. */
  clear(): void;
}

/** Where nobody sees it change, a line more often than this would only fill a log. */
const quietSeconds = 10;

export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (stream.isTTY) {
    const clear = () => {
      clearLine(stream, 0);
      cursorTo(stream, 0);
    };
    return {
      show(doing) {
        clear();
        stream.write(doing);
      },
      clear,
    };
  }
  let last = performance.now();
  return {
    show(doing) {
      if (performance.now() - last < quietSeconds * 1000) return;
      last = performance.now();
      stream.write(`${doing}\n`);
    },
    clear: () => {},
  };
}
