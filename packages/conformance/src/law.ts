/** What a law is, and how it counts and judges its comparisons. */
import type { Accuracy, Backend } from "@recurra/core/internal";
import { checked } from "./checked.ts";
import { Draw } from "./draw.ts";

export interface Outcome {
  readonly law: string;
  readonly passed: boolean;
  /** How many numbers were compared. */
  readonly comparisons: number;
  /** How many of them had a bound so wide that the comparison says nothing. */
  readonly vacuous: number;
  /** What wasn't tried, because the backend's manifest says that it can't be promised. */
  readonly skipped: readonly string[];
  readonly milliseconds: number;
  /** Which law, seed and shapes; expected, got, bound. */
  readonly failure?: string;
}

export interface Law {
  readonly name: string;
  /** Whether it tries memory and kernels, whole programs, or no backend at all but core. */
  readonly about: "kernel" | "program" | "core";
  run(): Promise<Outcome>;
}

/** "small": sizes up to 7 and a few steps. "large": sizes around 64, and more steps than a chunk has. */
export type Sizes = "small" | "large" | "both";

/** What a law works with. */
export interface Setting {
  open(): Backend | Promise<Backend>;
  /** Multiplies the number of random cases. */
  readonly scale: number;
  readonly seed: number;
  readonly sizes: Sizes;
  /** Judgements that don't depend on the backend's results; shared where many backends of one accuracy are judged. */
  readonly memo: Map<string, unknown>;
}

/**
 * @param backend fresh, checked, and disposed of afterwards; a law that needs others opens them
 * @param bare the same without the checks, for what a backend must refuse by itself
 */
export type Body = (tally: Tally, setting: Setting, backend: Backend, bare: Backend) => Promise<void>;
export interface Statement {
  readonly name: string;
  readonly body: Body;
}

export class LawBroken extends Error {}

/**
 * A bound is vacuous where it is wider than this times max(1, |expected|). Quantized weights are each off by up to half a step of
 * their row's largest, 1 / (2 · steps): a sum of n products by up to n halves of a step, where it is itself about √n. That share, √n
 * halves of a step, is what the format leaves; the laws' sums have up to 256 terms. Where weights happen to be whole steps, as in every
 * other case that the laws draw, bounds are a hundred times tighter.
 */
const vacuousAbove = ({ quantized }: Accuracy): number => (quantized ? 16 / (2 * quantized.weights) : 1e-3);
/** Bounds are themselves computed in float64. */
const slack = 1 + 2 ** -40;
const largest = (2 - 2 ** -23) * 2 ** 127;

/** Expected values with their bounds, element by element. */
export interface Judged {
  readonly data: ArrayLike<number>;
  /** Absent: exact. */
  readonly error?: ArrayLike<number> | undefined;
}

export class Tally {
  comparisons = 0;
  vacuous = 0;
  readonly skipped = new Set<string>();
  #context = "";
  readonly #vacuousAbove: number;

  constructor(readonly accuracy: Accuracy) {
    this.#vacuousAbove = vacuousAbove(accuracy);
  }

  /** What is being tried now, for failures: the case, its seed and its shapes. */
  trying(context: string): void {
    this.#context = context;
  }

  get context(): string {
    return this.#context;
  }

  fail(message: string): never {
    throw new LawBroken(this.#context ? `${this.#context}: ${message}` : message);
  }

  check(holds: boolean, message: () => string): void {
    this.comparisons++;
    if (!holds) this.fail(message());
  }

  /** Every number within its bound. */
  within(got: ArrayLike<number>, expected: Judged, name: (i: number) => string): void {
    const { data, error } = expected;
    if (got.length !== data.length)
      this.fail(`${name(0)}: expected ${data.length} values, got ${got.length}`);
    for (let i = 0; i < got.length; i++) this.number(got[i]!, data[i]!, error?.[i] ?? 0, () => name(i));
  }

  number(got: number, expected: number, bound: number, name: () => string): void {
    this.comparisons++;
    if (expected !== expected && bound === 0) {
      if (!this.accuracy.nan) this.skipped.add("NaN isn't promised (accuracy.nan)");
      else if (got === got) this.fail(`${name()}: expected NaN, got ${got}`);
      return;
    }
    if (!(bound <= this.#vacuousAbove * Math.max(1, Math.abs(expected)))) this.vacuous++;
    // Past the largest float32 a result may still be finite on the way and infinite when stored.
    if (bound === Infinity || got === expected || Math.abs(expected) > largest) return;
    if (!(Math.abs(got - expected) <= bound * slack))
      this.fail(
        `${name()}: expected ${expected}, got ${got}, off by ${Math.abs(got - expected)}, bound ${bound}`,
      );
  }

  /** So many numbers could not be compared, since no bound says anything of them. */
  lost(count: number): void {
    this.comparisons += count;
    this.vacuous += count;
  }

  /** The same bits, NaN's payload aside. */
  same(got: ArrayLike<number>, expected: ArrayLike<number>, name: (i: number) => string): void {
    if (got.length !== expected.length)
      this.fail(`${name(0)}: expected ${expected.length} values, got ${got.length}`);
    for (let i = 0; i < got.length; i++) {
      this.comparisons++;
      if (!Object.is(got[i], expected[i]))
        this.fail(`${name(i)}: expected the bits of ${expected[i]}, got ${got[i]}`);
    }
  }

  /** Elements that nobody may have changed; one comparison, so that they don't outnumber the results. */
  untouched(got: ArrayLike<number>, before: ArrayLike<number>, name: (i: number) => string): void {
    this.comparisons++;
    for (let i = 0; i < got.length; i++)
      if (!Object.is(got[i], before[i]))
        this.fail(`${name(i)}: expected the bits of ${before[i]}, got ${got[i]}`);
  }

  skip(reason: string): void {
    this.skipped.add(reason);
  }
}

/** A law that can be run, each time on a backend of its own. */
export function lawOf({ name, body }: Statement, setting: Setting, about: Law["about"]): Law {
  return {
    name,
    about,
    async run() {
      const started = Date.now();
      let tally: Tally | undefined;
      let failure: string | undefined;
      try {
        await withBackend(setting, (backend, bare) =>
          body((tally = new Tally(backend.accuracy)), setting, backend, bare),
        );
      } catch (error) {
        failure = `${name}: ${explain(error, tally?.context ?? "")}`;
      }
      return {
        law: name,
        passed: failure === undefined,
        comparisons: tally?.comparisons ?? 0,
        vacuous: tally?.vacuous ?? 0,
        skipped: [...(tally?.skipped ?? [])],
        milliseconds: Date.now() - started,
        ...(failure !== undefined && { failure }),
      };
    },
  };
}

function explain(error: unknown, context: string): string {
  if (error instanceof LawBroken) return error.message;
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${context ? `${context}: ` : ""}an error that no law expects: ${what}`;
}

/** Run `each` with a backend, checked and bare, which is disposed of afterwards. */
export async function withBackend(
  setting: Setting,
  each: (backend: Backend, bare: Backend) => Promise<void>,
): Promise<void> {
  const bare = await setting.open();
  try {
    await each(checked(bare), bare);
  } finally {
    bare.dispose();
  }
}

/** The sizes that a law goes through, in order. */
export const sizesOf = ({ sizes }: Setting): readonly ("small" | "large")[] =>
  sizes === "both" ? ["small", "large"] : [sizes];

/** `count` random cases at the default scale, each from its own seed. */
export async function forCases(
  tally: Tally,
  setting: Setting,
  law: string,
  count: number,
  each: (
    draw: Draw,
    size: "small" | "large",
    context: (shapes: string) => void,
    index: number,
  ) => Promise<void>,
): Promise<void> {
  for (const size of sizesOf(setting))
    for (let i = 0; i < Math.max(1, Math.round(count * setting.scale)); i++) {
      const context = (shapes: string): void =>
        tally.trying(`seed ${setting.seed}, ${size} case ${i}, ${shapes}`);
      context("before its shapes were drawn");
      await each(new Draw(setting.seed, law, size, i), size, context, i);
    }
}
