// Timing in one process: calls are grouped so that the clock's own cost and grain don't show.

export interface Round {
  /** Milliseconds a call; each is the mean of as many calls as fill SAMPLE_MS. */
  readonly samples: readonly number[];
  /** How many calls were made in these. */
  readonly calls: number;
}

const SAMPLE_MS = 1;

/** The `round` of a system whose call is `call`. The first round, the warm-up, finds how many calls make a sample. */
export function rounds(call: () => unknown): (ms: number) => Promise<Round> {
  let group = 1;
  return async (ms) => {
    const samples: number[] = [];
    let calls = 0;
    const end = performance.now() + ms;
    do {
      const start = performance.now();
      for (let index = 0; index < group; index++) {
        const pending = call();
        // Awaiting what isn't a promise would cost a fast synchronous call more than itself.
        if (pending instanceof Promise) await pending;
      }
      const elapsed = performance.now() - start;
      samples.push(elapsed / group);
      calls += group;
      if (elapsed < SAMPLE_MS / 2) group *= 2;
    } while (performance.now() < end);
    return { samples, calls };
  };
}

/** Of at least one value. The median of an even count is the mean of the middle two. */
export function summary(values: readonly number[]): { median: number; min: number; max: number } {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}
