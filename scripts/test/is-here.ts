// What a test needs that not every machine has: without it, tests are skipped with a message, and fail in CI.

/** @param look throws where it isn't here, with what is missing */
export async function isHere(look: () => unknown): Promise<boolean> {
  try {
    await look();
    return true;
  } catch (error) {
    if (process.env.CI) throw error;
    console.warn(`skipped: ${(error as Error).message}`);
    return false;
  }
}
