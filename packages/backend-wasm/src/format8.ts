/** int8 weights as one thing, imported when a backend is opened with them: a page that computes in float32 doesn't ship it. */
import type { Accuracy, PreparedProgram, Program, SyncBackend } from "@recurra/core";
import { accuracy } from "./accuracy.ts";
import { gemm8 } from "./engine/gemm8.ts";
import type { fail } from "./errors.ts";
import type { Format } from "./format.ts";
import { ACTIVATION_STEPS, int8Bytes, int8Sizes, packInt8, WEIGHT_STEPS } from "./int8.ts";

/** With the matrices of parameters in int8 (int8.ts says how). */
const int8Accuracy: Accuracy = {
  ...accuracy,
  quantized: { weights: WEIGHT_STEPS, activations: ACTIVATION_STEPS },
};

export { dotSaturates } from "./dot.ts";

/** @param dots by relaxed dot products */
export const int8 = (dots: boolean): Format => ({
  name: dots ? "int8 by dots" : "int8",
  accuracy: int8Accuracy,
  gemm: (assembler) => gemm8(assembler, dots),
  sizes: int8Sizes,
  bytes: (depth, width) => int8Bytes(depth, width, dots),
  pack: (memory, matrix, to) => packInt8(memory, matrix, to, dots),
});

/**
 * The same device, its programs' matrices in int8. Kernels that are asked for one by one know no parameters: they run in float32.
 * @param prepare prepares a program in this format
 * @param refuse given rather than imported: tsdown.config.ts says why
 */
export const inInt8 = (
  float32: SyncBackend,
  prepare: (program: Program) => PreparedProgram,
  refuse: typeof fail,
): SyncBackend => ({
  ...float32,
  name: "wasm(int8)",
  accuracy: int8Accuracy,
  prepareProgram(program) {
    if (sumsRows(program))
      refuse(
        "UNSUPPORTED",
        "gradient: expected weights in float32, got int8, which only infer; create a model without `weights`",
      );
    return prepare(program);
  },
});

/** Sums over rows are gradients of matrices. */
const sumsRows = ({ sections }: Program): boolean =>
  sections
    .flatMap(({ parts }) => parts.flatMap((part) => part.launches))
    .some(({ kernel }) => kernel.op === "gemm" && kernel.terms.some((term) => term.transposeA));
