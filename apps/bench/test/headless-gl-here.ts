// Whether systems on headless GL can run: without it their tests are skipped with a message, and fail in CI.
import { openGpuJs } from "@recurra/backend-gpujs";

export async function headlessGlIsHere(): Promise<boolean> {
  try {
    (await openGpuJs({ mode: "headlessgl" })).dispose();
    return true;
  } catch (error) {
    if (process.env.CI) throw error;
    console.warn(`skipped: ${(error as Error).message}`);
    return false;
  }
}
