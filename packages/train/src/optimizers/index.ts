export { adam, adamW, type AdamOptions } from "./adam.ts";
export type { Optimizer } from "./optimizer.ts";
export { sgd, type SgdOptions } from "./sgd.ts";
