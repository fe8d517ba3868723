import { describeConformance } from "@recurra/conformance";
import { describe, it } from "vitest";
import { openWasm } from "../src/index.ts";

describeConformance({ describe, it }, "wasm", () => openWasm());
