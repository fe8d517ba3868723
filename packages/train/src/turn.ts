/**
 * A turn of the event loop: between batches a page's thread paints and hears, timers fire, and a signal can be aborted. A promise
 * alone wouldn't do, and a browser's timers wait for 4 ms.
 */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: null): void;
}

/** The little of platforms that's used here; none of their types are known to what runs anywhere. */
const platform = globalThis as unknown as {
  readonly setImmediate?: (then: () => void) => void;
  readonly MessageChannel?: new () => { readonly port1: Port; readonly port2: Port };
};

let waiting: (() => void)[] = [];
let port: Port | undefined;

export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    if (platform.setImmediate) return platform.setImmediate(resolve);
    if (!platform.MessageChannel) return resolve();
    if (!port) {
      const { port1, port2 } = new platform.MessageChannel();
      port1.onmessage = () => {
        const due = waiting;
        waiting = [];
        for (const then of due) then();
      };
      port = port2;
    }
    waiting.push(resolve);
    port.postMessage(null);
  });
