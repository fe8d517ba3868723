/** Tokens as ids and back: the characters or words of a text, numbered. */
import { check, checkOptions, checkWhole, fail } from "@recurra/core/internal";
import { checkIterable } from "./data.ts";
import { isList } from "./rows.ts";

/** How a text is cut into tokens that, joined, are the text again. */
export type Split = (text: string) => Iterable<string>;

/** Its characters (code points). */
export const characters: Split = (text) => text;

/** Its words and numbers, and every other character by itself. */
export const words: Split = (text) => text.match(/[\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]/gu) ?? [];

export interface VocabularyOptions {
  /** Default: `characters`. */
  readonly split?: Split;
  /** What stands for tokens that aren't in the vocabulary; it gets id 0. Without it such tokens are refused. */
  readonly unknown?: string;
}

export interface Vocabulary {
  /** By id. Stored with a model, it gives the vocabulary again: `vocabularyOf(tokens, options)`. */
  readonly tokens: readonly string[];
  readonly size: number;
  /** @returns ids [time] */
  encode(text: string): { readonly shape: readonly number[]; readonly data: Int32Array };
  decode(ids: ArrayLike<number>): string;
}

/**
 * The vocabulary of a text: its tokens in the order of their code points.
 * @param options `most`: how many tokens at most, those that come most often
 */
export function vocabulary(
  text: string,
  options: VocabularyOptions & { readonly most?: number } = {},
): Vocabulary {
  const who = "vocabulary";
  checkOptions(options, ["split", "unknown", "most"], who);
  check(typeof text === "string" && text.length > 0, who, "a text", text);
  const { most, ...rest } = options;
  const { split = characters, unknown } = rest;
  checkSplit(rest, who);
  const counts = new Map<string, number>();
  for (const token of tokensOf(text, split)) counts.set(token, (counts.get(token) ?? 0) + 1);
  if (unknown !== undefined) counts.delete(unknown);
  let tokens = [...counts.keys()].sort(byCodePoint);
  if (most !== undefined) {
    checkWhole(most, `${who}: most`);
    const rare = tokens.length > most && unknown === undefined;
    check(!rare, who, `a token for those past the ${most} that come most often`, unknown, "; give unknown");
    const kept = [...tokens]
      .sort((a, b) => (counts.get(b) as number) - (counts.get(a) as number))
      .slice(0, most);
    tokens = kept.sort(byCodePoint);
  }
  return vocabularyOf(unknown === undefined ? tokens : [unknown, ...tokens], rest);
}

/** A vocabulary from its tokens. */
export function vocabularyOf(tokens: readonly string[], options: VocabularyOptions = {}): Vocabulary {
  const who = "vocabularyOf";
  checkOptions(options, ["split", "unknown"], who);
  const { split = characters, unknown } = options;
  checkSplit(options, who);
  check(isList(tokens) && tokens.every(isText), who, "a list of texts", tokens);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  check(
    ids.size === tokens.length && ids.size > 0,
    who,
    "tokens that differ, and at least one",
    tokens.length,
  );
  const fallback = unknown === undefined ? undefined : ids.get(unknown);
  if (unknown !== undefined)
    check(fallback === 0, who, `${JSON.stringify(unknown)}, the unknown, first`, tokens[0]);
  return {
    tokens: [...tokens],
    size: tokens.length,
    encode(text) {
      check(isText(text), "vocabulary.encode", "a text", text);
      const data = Int32Array.from(tokensOf(text, split), (token) => {
        const id = ids.get(token) ?? fallback;
        if (id === undefined)
          fail(
            "UNKNOWN_NAME",
            `vocabulary.encode: expected tokens among the ${tokens.length} that it has, got ${JSON.stringify(token)}; give it an unknown`,
          );
        return id;
      });
      return { shape: [data.length], data };
    },
    decode(given) {
      const length: unknown = (given as ArrayLike<number> | null | undefined)?.length;
      check(typeof length === "number", "vocabulary.decode", "a list of ids", given);
      return Array.from(given, (id) => {
        checkWhole(id, "vocabulary.decode: id", 0, tokens.length - 1);
        return tokens[id];
      }).join("");
    },
  };
}

function tokensOf(text: string, split: Split): Iterable<string> {
  const tokens = split(text);
  checkIterable(tokens, "vocabulary: split", "tokens to iterate");
  return tokens;
}

const isText = (value: unknown): boolean => typeof value === "string";

function checkSplit({ split, unknown }: VocabularyOptions, who: string): void {
  check(split === undefined || typeof split === "function", `${who}: split`, "a function of a text", split);
  check(unknown === undefined || isText(unknown), `${who}: unknown`, "a text", unknown);
}

/** Not `<`, which goes by halves of surrogate pairs. */
function byCodePoint(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => Array.from(text, (c) => c.codePointAt(0) as number)) as [
    number[],
    number[],
  ];
  const i = left.findIndex((point, k) => point !== right[k]);
  return i < 0 ? left.length - right.length : (left[i] as number) - (right[i] ?? -1);
}
