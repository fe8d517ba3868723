// A character model of English sentences: songs, speeches, chats, contracts and quiz questions, in an order drawn at random by
// the package that brings them.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { IdTensor } from "@recurra/core";
import { batches, type Examples, validate, type Vocabulary, vocabulary, windows } from "@recurra/train";
import { below, draws } from "../random.ts";
import type { Task } from "../task.ts";

/** Files doc-0 to doc-98 are trained on, doc-99 is for the test. */
const TEST_DOCUMENT = 99;
const CHARACTERS = 100;
const CONTEXT = 64;
const BATCH = 32;
const STEPS = 600;
/** Bits that it may lie above PyTorch's. */
const WITHIN = 0.05;
/** What a PyTorch LSTM had after as many steps of other settings: the measure where there is none beside it. */
const PYTORCH = 2.72;

/** Sentences in lines. */
export const parseDocument = (json: string): string => `${(JSON.parse(json) as string[]).join("\n")}\n`;

/** Bits a character of the test by the counts of pairs in the training text, each pair counted once more. */
export function bigramBits({ data: trained }: IdTensor, { data: test }: IdTensor, size: number): number {
  const pairs = new Float64Array(size * size).fill(1);
  const firsts = new Float64Array(size).fill(size);
  for (let k = 1; k < trained.length; k++) {
    pairs[trained[k - 1]! * size + trained[k]!]!++;
    firsts[trained[k - 1]!]!++;
  }
  let bits = 0;
  for (let k = 1; k < test.length; k++)
    bits -= Math.log2(pairs[test[k - 1]! * size + test[k]!]! / firsts[test[k - 1]!]!);
  return bits / (test.length - 1);
}

/** Windows of the text from anywhere, as many as the steps need. */
export function anywhere(ids: IdTensor, context: number, size: number, seed: number): Examples {
  const all = windows(ids, { length: context, target: "all" });
  return { size, get: (index) => all.get(below(draws(seed, index), all.size)) };
}

/** All of the text, window after window. */
export function throughout(ids: IdTensor, context: number): Examples {
  const all = windows(ids, { length: context, target: "all" });
  return { size: Math.floor((all.size - 1) / context) + 1, get: (index) => all.get(index * context) };
}

export const text: Task = {
  about: `sentences of nlp-corpus, doc-0 to doc-98, ${CHARACTERS} characters; embedding 64, LSTM 128; ${STEPS} steps of ${BATCH} windows of ${CONTEXT} characters, Adam at 0.01; bits a character of doc-99`,

  async learn({ fetch, train }) {
    const folder = join(await fetch("nlp-corpus"), "builds");
    const read = async (number: number) =>
      parseDocument(await readFile(join(folder, `doc-${number}.json`), "utf8"));
    const trained = (await Promise.all(Array.from({ length: TEST_DOCUMENT }, (_, k) => read(k)))).join("");
    const known: Vocabulary = vocabulary(trained, { unknown: "\uFFFD", most: CHARACTERS - 1 });
    const ids = known.encode(trained);
    const test = known.encode(await read(TEST_DOCUMENT));
    const value = await train(
      "text",
      {
        net: {
          input: { vocabulary: known.size, size: 64 },
          cell: "lstm",
          hidden: 128,
          outputs: known.size,
          last: false,
        },
        seed: 1,
        loss: "crossEntropy",
        learningRate: 1e-2,
        clip: 1,
        data: batches(anywhere(ids, CONTEXT, STEPS * BATCH, 1), { batchSize: BATCH }),
        epochs: 1,
      },
      async (trainer) => {
        const { loss } = await validate(trainer, batches(throughout(test, CONTEXT), { batchSize: 128 }));
        return loss / Math.LN2;
      },
    );
    const bigram = bigramBits(ids, test, known.size);
    return { text: `${value.toFixed(3)} bits a character (bigram ${bigram.toFixed(3)})`, value };
  },

  missed(value, peer) {
    const most = (peer ?? PYTORCH) + WITHIN;
    return value <= most
      ? undefined
      : `at most ${most.toFixed(3)} bits, ${WITHIN} above PyTorch's, got ${value.toFixed(3)}`;
  },
};
