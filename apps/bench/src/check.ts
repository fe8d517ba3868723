// Whether a system's results are right.
import { pickRows } from "./pick-rows.ts";
import type { Results } from "./system.ts";
import type { Workload } from "./workloads.ts";

export interface Verdict {
  readonly ok: boolean;
  /** The largest |got − expected| / max(1, |expected|). */
  readonly error: number;
  /** The largest tolerance. */
  readonly bound: number;
  /** Why it isn't ok. */
  readonly message?: string;
}

/** Peers make no promise about their error; this is far above what float32 needs and far below a wrong formula. */
export const PEER_TOLERANCE = 1e-4;

/**
 * Of training's losses, for our own and for peers alike. A loss of rounded sums is right to about 1e-6. Adam moves even a parameter whose
 * gradient is lost in float32's noise by the whole rate, either way, but as that gradient is nothing, so is what it does to the loss.
 * No bound is derived from a backend's accuracy: the oracle perturbs what one graph computes, and steps of training are several graphs
 * with an optimizer between them.
 */
export const TRAIN_TOLERANCE = 1e-5;

/**
 * Every result with a tolerance has to be there, and within tolerance · max(1, |expected|) of what is expected.
 * @param values what is expected of the checked rows
 */
export function check(
  results: Results,
  values: Readonly<Record<string, Float64Array>>,
  tolerances: Readonly<Record<string, number>>,
  workload: Workload,
): Verdict {
  let error = 0;
  let message: string | undefined;
  for (const [name, tolerance] of Object.entries(tolerances)) {
    const expected = values[name];
    if (!expected) throw new Error(`check: nothing is expected of ${name}`);
    const got = checkedRows(name, results[name], workload);
    if (got?.length !== expected.length) {
      message ??= `${name}: expected ${expected.length} values, got ${got?.length ?? "none"}`;
      error = Infinity;
      continue;
    }
    for (let index = 0; index < expected.length; index++) {
      const scale = Math.max(1, Math.abs(expected[index]!));
      const distance = Math.abs(got[index]! - expected[index]!) / scale;
      // This way round, a NaN isn't right.
      if (!(distance <= tolerance)) {
        message ??= `${name}[${index}]: expected ${expected[index]} within ${tolerance * scale}, got ${got[index]}`;
      }
      error = Math.max(error, Number.isNaN(distance) ? Infinity : distance);
    }
  }
  const bound = Math.max(...Object.values(tolerances));
  return { ok: message === undefined, error, bound, ...(message && { message }) };
}

/** The checked rows of what has rows: sequences do, parameters don't. */
function checkedRows(
  name: string,
  data: Float32Array | undefined,
  workload: Workload,
): Float32Array | undefined {
  const isSequence = name === "output" || name === "input";
  if (!data || !workload.checkedRows || !isSequence) return data;
  const { T, B } = workload;
  return pickRows({ shape: [T, B, data.length / (T * B)], data }, workload.checkedRows).data;
}
