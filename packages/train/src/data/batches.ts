/**
 * Batches of examples. With a seed they come in another order every epoch. So that rows of a batch are about equally long, a pool of
 * many batches is sorted by length, cut, and the batches are put in any order again (Morishita et al. 2017 compare such ways).
 */
import type { Random } from "@recurra/core";
import { check, checkOptions, checkWhole, isWhole } from "@recurra/core/internal";
import { derived, shuffled } from "../random.ts";
import type { Batch } from "../types.ts";
import { collate } from "./collate.ts";
import { checkIterable, type Data, type Example, type Examples, type LabelledExample } from "./data.ts";

type Any = Example | LabelledExample;

export interface BatchOptions {
  /** How many examples a batch has; the last of an epoch (of a pool, where they're streamed) may have fewer. */
  readonly batchSize: number;
  /**
   * Of the order, which then differs from epoch to epoch, with sequences of about one length in a batch. Without it examples come as
   * they are given, whatever their lengths.
   */
  readonly seed?: number;
}

/** How many batches are sorted together. */
const pool = 64;

/** Batches of examples that are in memory, or that can be had one by one in any order. */
export function batches(given: Examples | readonly Any[], options: BatchOptions): Data {
  const who = "batches";
  const { batchSize, seed } = readOptions(options, who);
  const examples = examplesOf(given);
  check(isWhole(examples.size), who, "at least one example", examples.size);
  return {
    size: Math.ceil(examples.size / batchSize),
    *batches(epoch, from = 0) {
      const order = seed === undefined ? undefined : shuffled(examples.size, derived(seed, epoch));
      const amount = pool * batchSize;
      for (let p = Math.floor(from / pool); p * amount < examples.size; p++) {
        const length = Math.min(amount, examples.size - p * amount);
        const members = Array.from({ length }, (_, i) =>
          examples.get(order?.[p * amount + i] ?? p * amount + i),
        );
        yield* cut(
          members,
          batchSize,
          seed === undefined ? undefined : derived(seed, epoch, p),
          from - p * pool,
        );
      }
    },
  };
}

/**
 * Batches of examples that are read anew every epoch, and of which only a pool of 64 batches is in memory; they are put in
 * another order within it.
 * @param source the examples of an epoch, the same ones each time it is asked for them
 */
export function streamed(
  source: (epoch: number) => Iterable<Any> | AsyncIterable<Any>,
  options: BatchOptions,
): Data {
  const who = "streamed";
  check(typeof source === "function", who, "a function that gives the examples of an epoch", source);
  const { batchSize, seed } = readOptions(options, who);
  return {
    async *batches(epoch, from = 0) {
      let p = 0;
      let members: Any[] = [];
      const flush = (): Iterable<Batch> => {
        const draw = seed === undefined ? undefined : derived(seed, epoch, p);
        const made = cut(members, batchSize, draw, from - p * pool);
        members = [];
        p++;
        return made;
      };
      const examples = source(epoch);
      checkIterable(examples, `${who}: examples of epoch ${epoch}`);
      for await (const example of examples) {
        members.push(example);
        if (members.length === pool * batchSize) yield* flush();
      }
      if (members.length > 0) yield* flush();
    },
  };
}

/** Batches of a pool, without the first `from`. */
function* cut(
  members: readonly Any[],
  batchSize: number,
  draw: Random | undefined,
  from: number,
): Iterable<Batch> {
  const count = Math.ceil(members.length / batchSize);
  if (from >= count) return;
  let sorted = members;
  let order: ArrayLike<number> = { length: count };
  if (draw) {
    const mixed = [...shuffled(members.length, draw)].map((i) => members[i] as Any);
    sorted = mixed.sort((a, b) => lengthOf(a) - lengthOf(b));
    order = shuffled(count, draw);
  }
  for (let i = Math.max(0, from); i < count; i++) {
    const at = (order[i] ?? i) * batchSize;
    yield collate(sorted.slice(at, at + batchSize));
  }
}

/** 0 for what isn't an example; the batch that it comes to says so. */
const lengthOf = (example: Any): number => {
  const { x } = (example ?? {}) as Partial<Any>;
  const { shape } = (x ?? {}) as Partial<Any["x"]>;
  return shape?.[0] ?? 0;
};

function examplesOf(given: Examples | readonly Any[]): Examples {
  check(typeof given === "object" && given !== null, "batches", "examples", given);
  return "get" in given ? given : { size: given.length, get: (i) => given[i] as Any };
}

function readOptions(options: BatchOptions, who: string): BatchOptions {
  checkOptions(options, ["batchSize", "seed"], who);
  checkWhole(options.batchSize, `${who}: batchSize`);
  if (options.seed !== undefined) checkWhole(options.seed, `${who}: seed`, -Infinity);
  return options;
}
