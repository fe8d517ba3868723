export {
  crossEntropy,
  negativeLogLikelihood,
  type ClassOptions,
  type CrossEntropyOptions,
} from "./classes.ts";
export type { Loss } from "./loss.ts";
export { binaryCrossEntropy, huber, meanAbsolute, meanSquared, smoothL1 } from "./values.ts";
