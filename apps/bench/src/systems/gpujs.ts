import { openGpuJs } from "@recurra/backend-gpujs";
import { recurra } from "./recurra.ts";

/** In the mode that Node has. */
export const gpujs = recurra(() => openGpuJs({ mode: "headlessgl" }));
