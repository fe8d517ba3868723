/** The plain backend as one that answers later: without `readSync`, and with reads that take a turn of the event loop. */
import type { Backend } from "../../src/backend.ts";
import { openPlain, type PlainBackend } from "./plain-backend.ts";

export type LaterBackend = Backend & Pick<PlainBackend, "live">;

export function openLater(): LaterBackend {
  const { readSync, ...plain } = openPlain();
  return {
    ...plain,
    async read(buffer, into, offset) {
      await new Promise((resolve) => setTimeout(resolve));
      readSync(buffer, into, offset);
    },
  };
}
