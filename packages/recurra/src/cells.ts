/** The shipped cells by name, those with options with their usual ones. */
import * as core from "@recurra/core";

const {
  gru, gruResetBefore, indrnn, lstm, lstmCoupled, lstmLayerNorm, lstmPeephole, lstmp, mgu, minGru, minLstm, rnnRelu, rnnTanh, slstm,
} = core; // prettier-ignore

/** @param hiddenSize a projection has half its width */
export const cellsByName = (hiddenSize: number): Readonly<Record<string, core.Cell>> => ({
  lstm, lstmPeephole, lstmCoupled, lstmLayerNorm, lstmp: lstmp({ projectionSize: Math.max(1, hiddenSize >> 1) }), slstm: slstm(),
  gru, gruResetBefore, mgu, rnnTanh, rnnRelu, indrnn, minGru, minLstm,
}); // prettier-ignore
