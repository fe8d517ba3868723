/** The public vectors and models: where they lie, and how close is close enough. They aren't part of the repository. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** A folder beside the checkout, or the one that RECURRA_SHARED names. */
const shared = process.env.RECURRA_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));

export const sharedPath = (...parts: readonly string[]): string => join(shared, ...parts);

/** Whether the folder is there. Where it isn't, a test says so: skipped here, failed in CI. */
export function available(folder: string): boolean {
  const path = sharedPath(folder);
  if (existsSync(path)) return true;
  const title = `${folder}: not found beside the checkout; set RECURRA_SHARED to the folder that holds it`;
  if (process.env.CI) test(title, () => expect.fail(title));
  else {
    // Reporters needn't show a skipped test's title.
    console.warn(title);
    test.skip(title, () => undefined);
  }
  return false;
}

export const readJson = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

/** |got − expected| ≤ tolerance · max(1, |expected|), element by element. */
export function expectNear(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  expect(got.length, `${what}: number of values`).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got[i]!, expected[i]!];
    // Written so that NaN fails.
    if (!(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b))))
      expect.fail(`${what}[${i}]: expected ${b} within ${tolerance}, got ${a}`);
  }
}
