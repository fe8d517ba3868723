/** Cancelling, at once. */

/** What is needed of an AbortSignal. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

export function throwIfAborted(signal: Signal | undefined): void {
  if (signal?.aborted) throw signal.reason;
}

/** What is asked for, unless the signal is aborted before it comes: then its reason is thrown. */
export async function unlessAborted<R>(asked: Promise<R>, signal: Signal | undefined): Promise<R> {
  if (!signal) return asked;
  let stop = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener("abort", stop);
  });
  try {
    await Promise.race([asked, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
  throwIfAborted(signal);
  return asked;
}
