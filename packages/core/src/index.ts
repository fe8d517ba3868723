/** Recurra's core: cells, networks, models, gradients. Import a backend beside it. */
export * from "./backend.ts";
export { RecurraError, type ErrorCode } from "./errors.ts";
export {
  abs, clamp, concat, equal, exp, Expr, less, lessEqual, log, Matrix, max, min, neg, reciprocal, relu, rowMax, rowMean, rowSum, rsqrt,
  select, sigmoid, softplus, sqrt, tanh,
} from "./expr.ts"; // prettier-ignore
export * from "./activations.ts";
export {
  matrix,
  vector,
  vectors,
  type Cell,
  type CellDeclaration,
  type Size,
  type StateShape,
  type WeightSpec,
} from "./cell.ts";
export { cell } from "./declare.ts";
export * from "./cells/index.ts";
export {
  constant,
  glorot,
  normal,
  orthogonal,
  uniform,
  type Initializer,
  type Random,
} from "./initializers.ts";
export {
  activation,
  dense,
  dropout,
  embedding,
  last,
  layerNorm,
  recurrent,
  type DenseOptions,
  type EmbeddingOptions,
  type LayerNormOptions,
  type RecurrentOptions,
} from "./layers.ts";
export { mapLimits } from "./map-limits.ts";
export { network, stack, type Layer, type Network } from "./network.ts";
export {
  createModel,
  type AsyncModel,
  type Model,
  type RunOptions,
  type RunResult,
  type SyncModel,
} from "./model.ts";
export type { ModelOptions } from "./engine.ts";
export type { Input, SequenceOptions } from "./call.ts";
export type { Frame, Stream, StreamOptions, SyncStream } from "./stream.ts";
export {
  gradient,
  gradientSync,
  type GradientOptions,
  type GradientResult,
  type LossGradient,
} from "./gradient.ts";
export { explain, type ExplainOptions } from "./explain.ts";
export type { IdTensor, Tensor } from "./tensor.ts";
