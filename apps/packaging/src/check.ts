// The whole vocabulary of the packaging test: a named check that passes, or fails with a message.
import { stripVTControlCharacters } from "node:util";

let passed = 0;
let failed = 0;

/** Runs one check and prints its name; what it returns is printed beside it. */
export async function check(name: string, work: () => Promise<string | void> | string | void): Promise<void> {
  try {
    const note = await work();
    passed++;
    console.log(`ok      ${name}${note ? `: ${note}` : ""}`);
  } catch (error) {
    failed++;
    const message = stripVTControlCharacters(error instanceof Error ? error.message : String(error));
    // A bundler's message goes on for pages; what went wrong is in its first lines.
    console.log(`FAILED  ${name}: ${message.split("\n").slice(0, 12).join("\n        ")}`);
  }
}

/** @throws Error with the message unless the condition holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Prints the counts; @returns the exit code */
export function summary(): number {
  console.log(`packaging: ${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
