/** int8 weights as one thing, imported when a backend is opened with them: a page that computes in float32 doesn't ship it. */
import type { Accuracy, Program, SyncBackend } from "@recurra/core";
import { accuracy } from "./accuracy.ts";
import { gemm8 } from "./engine/gemm8.ts";
import type { Engine } from "./engine.ts";
import { fail } from "./errors.ts";
import type { Format } from "./format.ts";
import { ACTIVATION_STEPS, int8Bytes, int8Sizes, packInt8, WEIGHT_STEPS } from "./int8.ts";
import type { Memory } from "./memory.ts";
import { prepareProgram } from "./program.ts";

/** With the matrices of parameters in int8 (int8.ts says how). */
const int8Accuracy: Accuracy = {
  ...accuracy,
  quantized: { weights: WEIGHT_STEPS, activations: ACTIVATION_STEPS },
};

export const int8: Format = {
  accuracy: int8Accuracy,
  gemm: gemm8,
  sizes: int8Sizes,
  bytes: int8Bytes,
  pack: packInt8,
};

/** The same device, its programs' matrices in int8. Kernels that are asked for one by one know no parameters: they run in float32. */
export const inInt8 = (float32: SyncBackend, memory: Memory, engine: Engine): SyncBackend => ({
  ...float32,
  name: "wasm(int8)",
  accuracy: int8Accuracy,
  prepareProgram(program) {
    memory.check();
    refuseGradient(program);
    return prepareProgram(engine, program, int8);
  },
});

/** Sums over rows are gradients of matrices. */
function refuseGradient({ sections }: Program): void {
  const launches = sections.flatMap(({ parts }) => parts.flatMap((part) => part.launches));
  if (launches.some(({ kernel }) => kernel.op === "gemm" && kernel.terms.some((term) => term.transposeA)))
    fail(
      "UNSUPPORTED",
      "gradient: expected weights in float32, got int8, which only infer; create a model without `weights`",
    );
}
