// Whether systems on headless GL can run.
import { openGpuJs } from "@recurra/backend-gpujs";
import { isHere } from "../../../scripts/test/is-here.ts";

export const headlessGlIsHere = (): Promise<boolean> =>
  isHere(async () => (await openGpuJs({ mode: "headlessgl" })).dispose());
