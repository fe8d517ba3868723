export { adagrad, type AdagradOptions } from "./adagrad.ts";
export { adam, adamW, type AdamOptions } from "./adam.ts";
export { nadam, type NadamOptions } from "./nadam.ts";
export type { Optimizer } from "./optimizer.ts";
export { radam, type RadamOptions } from "./radam.ts";
export { rmsprop, type RmspropOptions } from "./rmsprop.ts";
export { sgd, type SgdOptions } from "./sgd.ts";
