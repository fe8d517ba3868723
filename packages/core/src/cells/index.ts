/** Every cell that comes with Recurra. To add one: write its file, then its line here. */
export { gru } from "./gru.ts";
export { gruResetBefore } from "./gru-reset-before.ts";
export { indrnn } from "./indrnn.ts";
export { lstm } from "./lstm.ts";
export { lstmCoupled } from "./lstm-coupled.ts";
export { lstmLayerNorm } from "./lstm-layer-norm.ts";
export { lstmPeephole } from "./lstm-peephole.ts";
export { lstmp } from "./lstmp.ts";
export { mgu } from "./mgu.ts";
export { minGru } from "./min-gru.ts";
export { minLstm } from "./min-lstm.ts";
export { rnnRelu, rnnTanh } from "./rnn.ts";
export { slstm } from "./slstm.ts";
