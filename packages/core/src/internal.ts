/** What the conformance kit, backends' tests and tools need of core's inside. No promises of stability. */
export { differentiate, type Adjoint } from "./adjoint.ts";
export * from "./check.ts";
export { backward } from "./compile/backward.ts";
export { compile, type CompileOptions } from "./compile/compile.ts";
export { verify, verifying } from "./compile/verify.ts";
export { execute, prepare, type Execution, type Plan } from "./execution.ts";
export * from "./expr.ts";
export type * from "./backend.ts";
export { constant as constantInitializer } from "./initializers.ts";
export { fail } from "./errors.ts";
export { values as functionValues } from "./functions.ts";
export { gradientGraph } from "./gradient.ts";
export { interpret } from "./interpret.ts";
export { NetworkGraph, type BuildOptions } from "./network.ts";
export * from "./oracle.ts";
export { random } from "./random.ts";
export { sizeOf } from "./tensor.ts";
