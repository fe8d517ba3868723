import { describeConformance } from "@recurra/conformance";
import { it } from "vitest";
import { openGpuJs } from "../src/index.ts";
import { onGpu } from "./support.ts";

describeConformance({ describe: onGpu, it }, "gpujs", () => openGpuJs());
