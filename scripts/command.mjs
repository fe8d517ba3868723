// What every app's command line has in common: words are read, those that make no sense are answered with what there is, and the rest
// becomes an exit code.
import { parseArgs } from "node:util";

/** Words that don't exist, or don't go together: a message for people, exit code 2. */
export class UsageError extends Error {}

/**
 * The options and positionals of a command line, by node:util's `parseArgs`.
 * @template {import("node:util").ParseArgsConfig} Config
 * @param {Config} config
 * @param {string} usage
 * @returns {ReturnType<typeof parseArgs<Config>>}
 * @throws UsageError
 */
export function readWords(config, usage) {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(`${/** @type {Error} */ (error).message}\n${usage}`);
  }
}

/**
 * The word, where it is one of those that are known.
 * @template {string} Word
 * @param {string} flag
 * @param {string} word
 * @param {readonly Word[]} known
 * @param {string} [whose] said behind the word: " of wasm"
 * @returns {Word}
 * @throws UsageError
 */
export function oneOf(flag, word, known, whose = "") {
  const found = known.find((name) => name === word);
  if (found !== undefined) return found;
  const list = known.length > 0 ? `there is ${known.join(", ")}` : "there is none";
  throw new UsageError(`${flag}: there is no "${word}"${whose}; ${list}`);
}

/**
 * Resolves with the exit code: that of `main`, or 2 where the words were wrong.
 * @template Request
 * @param {() => Request} parse
 * @param {(request: Request) => Promise<number>} main
 */
export async function runCommand(parse, main) {
  let request;
  try {
    request = parse();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }
  return main(request);
}
