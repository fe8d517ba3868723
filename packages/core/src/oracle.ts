/**
 * The oracle: what a graph means in float64, and the error that float32 may make. It is the authority that every backend is
 * held to. Its bounds are derived from what the backend declares of its arithmetic, never tuned.
 */
export { bounded } from "./oracle/bounds.ts";
export { evaluate, finalState } from "./oracle/evaluate.ts";
export { endToEnd, noise, type EndToEnd } from "./oracle/perturb.ts";
export { float64, type Arithmetic, type OracleInputs, type Value } from "./oracle/value.ts";
