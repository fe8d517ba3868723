/**
 * The contract between core and a backend: memory, five kernels, and the program that is made of them. Types only; this file
 * imports nothing, so that a backend can be written by reading it alone.
 */

/** Device memory for `length` float32 values. */
export interface DeviceBuffer {
  readonly length: number;
}

/**
 * Where a kernel finds (or leaves) a matrix of rows. At step t, element (r, j) lies at
 * `offset + (t mod slots) · stepStride + r · rowStride + j · columnStride`. A kernel over several steps at once has more rows than
 * a step has: they go on into the slots after the first, and core runs it only where those slots are.
 */
export interface View {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
  /** 0 repeats one row (a bias). */
  readonly rowStride: number;
  /** 0 repeats one column (a mask a row; with `rowStride` 0, a scalar). Outputs always have 1. */
  readonly columnStride: 0 | 1;
  readonly stepStride: number;
  readonly slots: number;
}

/** The pointwise functions a `map` can be asked for. `copy` is the identity; comparisons give 1 or 0; select(c, a, b) is c ≠ 0 ? a : b. */
export type FunctionName =
  | "copy" | "neg" | "exp" | "log" | "tanh" | "sigmoid" | "relu" | "softplus" | "abs" | "sqrt" | "rsqrt" | "reciprocal"
  | "plus" | "minus" | "times" | "over" | "max" | "min" | "less" | "lessEqual" | "equal"
  | "clamp" | "select"; // prettier-ignore

export type ReduceName = "sum" | "mean" | "max";

/**
 * One product of a gemm's sum, op(A)·op(B), with A and B the kernel's inputs at `a` and `b`.
 * `depth` is the length of the sum; "rows" means the bound number of rows (a sum over rows, as in dW = Σ δ xᵀ).
 */
export interface GemmTerm {
  readonly a: number;
  readonly b: number;
  /** op(A)(r, k) is A(k, r): only with `depth: "rows"`. */
  readonly transposeA: boolean;
  /** op(B)(k, j) is B(j, k): a matrix stored [out, in] applied to rows. */
  readonly transposeB: boolean;
  readonly depth: number | "rows";
}

/**
 * out[r, j] = addend[r, j] + Σ terms Σ_k op(A)(r, k) · op(B)(k, j), summed in just this order with one accumulator a result.
 * Rows of the result: the bound number of rows, or `rows` where the terms sum over rows. Inputs: the addend first when `addend`.
 */
export interface GemmKernel {
  readonly op: "gemm";
  readonly rows: number | "rows";
  readonly width: number;
  readonly addend: boolean;
  readonly terms: readonly GemmTerm[];
}

/** An argument of an instruction: an input of the kernel, an earlier instruction's result, or a constant. */
export type Argument =
  { readonly input: number } | { readonly result: number } | { readonly constant: number };

export interface Instruction {
  readonly fn: FunctionName;
  readonly args: readonly Argument[];
}

/** Pointwise over [rows, width]: instructions in order; output i receives the result of instruction `outputs[i]`. */
export interface MapKernel {
  readonly op: "map";
  readonly width: number;
  readonly inputs: number;
  readonly instructions: readonly Instruction[];
  readonly outputs: readonly number[];
}

/** [rows, width] → [rows, 1], summed in column order; the mean divides the sum by `width`. */
export interface ReduceKernel {
  readonly op: "reduce";
  readonly fn: ReduceName;
  readonly width: number;
}

/** Inputs: table [tableRows, width], index [rows, 1] (exact integers below 2²⁴; −1 gives a row of zeros). Output: [rows, width]. */
export interface GatherKernel {
  readonly op: "gather";
  readonly width: number;
}

/** Inputs: index [rows, 1] (−1 is passed over), values [rows, width]. Output: the whole table [tableRows, width]; row i is the sum, in row order, of the values whose index is i. */
export interface ScatterAddKernel {
  readonly op: "scatterAdd";
  readonly width: number;
  /** "steps": as many rows as the sequence has (steps · batch). */
  readonly tableRows: number | "steps";
}

export type Kernel = GemmKernel | MapKernel | ReduceKernel | GatherKernel | ScatterAddKernel;

/**
 * A kernel made ready. `bind` captures everything; the bound kernel's `run` then allocates nothing. Core gives views that fit, so a
 * backend need not look at them: `checked` of the conformance kit does, for tests. A backend refuses by itself what core can't know:
 * memory that it doesn't have, and any use after `dispose`, or of a freed buffer by `write`, `read` and `bind`.
 */
export interface PreparedKernel {
  /**
   * @param rows how many rows the kernel works on
   * @param views inputs, then outputs, in the kernel's order
   * @param tableRows rows of a gather's or scatterAdd's table
   */
  bind(rows: number, views: readonly View[], tableRows?: number): BoundKernel;
}

export interface BoundKernel {
  /** Run at step `step` (see `View`). Kernels run in the order of these calls. */
  run(step: number): void;
}

/** How large a map may be. Made by `mapLimits`, which brings the splitting along: only backends that need it ship it. */
export interface MapLimits {
  readonly inputs: number;
  readonly outputs: number;
  /** The same program without larger maps than that. */
  split(program: Program): Program;
}

/** Where core must split. */
export interface Limits {
  /** (optional) Of maps. */
  readonly maps?: MapLimits;
  /** Largest number of rows a kernel may be bound to. */
  readonly rows: number;
}

/** The worst error of one operation's result: |computed − exact| ≤ relative · |exact| + absolute, on exact operands. */
export interface WorstError {
  readonly relative: number;
  readonly absolute: number;
}

/** What a backend promises of its arithmetic; the laws derive every tolerance from it. */
export interface Accuracy {
  /** Unit roundoff of a stored result: 2⁻²⁴ for float32. */
  readonly unit: number;
  /** Unit roundoff of one multiply-and-add inside gemm and reduce (2⁻²⁴, or 2⁻⁵³ where they accumulate in float64). */
  readonly accumulate: number;
  /** Functions that are worse than one rounding by `unit`. */
  readonly functions: Partial<Record<FunctionName, WorstError>>;
  /**
   * (optional) Products of a matrix of parameters, [out, in], aren't computed in float32. Each row of the matrix is rounded to whole
   * multiples of its largest magnitude / `weights`, and each row that it is applied to of that row's largest magnitude /
   * `activations`; a weight is then off by up to half a step, a number by half a step and 2 `unit` of the largest. The sums of
   * products are rounded as others are, and 4 times more by `accumulate`. A row that holds NaN or ∞ gives NaN. Programs of such a
   * backend only infer; its kernels, one by one, are in float32.
   */
  readonly quantized?: { readonly weights: number; readonly activations: number };
  /** NaN comes out where NaN went in, and only in its own row. */
  readonly nan: boolean;
  /** Results below 2⁻¹²⁶ are kept rather than flushed to zero. */
  readonly subnormals: boolean;
  /** A row's result is the same bits at any batch size, beside any neighbours. */
  readonly batchExact: boolean;
}

export interface Backend {
  readonly name: string;
  readonly limits: Limits;
  readonly accuracy: Accuracy;
  /** A map may be given the same view as an input and as an output. */
  readonly inPlace: boolean;
  /** How W·x reaches a recurrent sum: one gemm over many steps before the loop, or joined into the loop's gemm. */
  readonly projection: "before" | "joined";
  alloc(length: number): DeviceBuffer;
  free(buffer: DeviceBuffer): void;
  /** Copy `data` into the buffer from `offset`. */
  write(buffer: DeviceBuffer, data: Float32Array, offset: number): void;
  /** Wait for the kernels before, then copy `into.length` values, maybe none, from `offset`. Several may be asked for in one turn. */
  read(buffer: DeviceBuffer, into: Float32Array, offset: number): Promise<void>;
  prepare(kernel: Kernel): PreparedKernel;
  /** (optional) The same as `read`, at once. A backend that has it is a synchronous backend. */
  readSync?(buffer: DeviceBuffer, into: Float32Array, offset: number): void;
  /** (optional) Take a whole program, loops included; undefined declines this one. */
  prepareProgram?(program: Program): PreparedProgram | undefined;
  /** (optional) The same device, in the same memory, with the matrices of programs in another format: see `Accuracy.quantized`. */
  readonly weights?: { readonly int8: Backend };
  dispose(): void;
}

export interface SyncBackend extends Backend {
  readSync(buffer: DeviceBuffer, into: Float32Array, offset: number): void;
}

// ---- The program: plain data, symbolic in the number of steps and the batch size ----

/**
 * What a buffer of a program holds. Parameters, inputs, outputs, states and histories (a state at every step, the first before
 * the sequence) are shared with core and row-major; a value is the backend's own.
 */
export type Role = "parameter" | "input" | "output" | "state" | "history" | "value" | "constant";

/**
 * `slots` matrices of [rows, width]: one for all steps, or one a step. "steps+1" leaves room for the state before the first step.
 * A state is a pair of buffers: one is read while the other is written, and they change places each step.
 */
export interface BufferSpec {
  readonly name: string;
  readonly role: Role;
  readonly rows: number | "batch";
  readonly width: number;
  readonly slots: 1 | "chunk" | "steps" | "steps+1";
  /** A constant's values. */
  readonly data?: readonly number[];
}

/** A column slice of a program's buffer, and which of its steps. */
export interface Operand {
  readonly buffer: number;
  readonly column: number;
  readonly width: number;
  /** First row, within a stacked parameter. */
  readonly row: number;
  /** One row for all (a parameter vector, a constant). */
  readonly repeatRow: boolean;
  /** One column for all. */
  readonly repeatColumn: boolean;
  /** 1: the slot after this step's (histories of states have one slot more than there are steps). */
  readonly shift: 0 | 1;
  /** Of a state's pair: the one that holds the state before this step, or the one that receives the state after it. */
  readonly pair?: "current" | "next";
}

/** A kernel with its operands. `rows`: a fixed number, the batch, or batch · (steps of the part). */
export interface Launch {
  readonly kernel: Kernel;
  readonly rows: number | "batch" | "steps";
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
}

/** Kernels over all rows of the section's chunk at once, or kernels run once a step. */
export interface Part {
  readonly kind: "rows" | "loop";
  readonly launches: readonly Launch[];
}

/**
 * "forward" and "reverse" sections walk time in chunks of steps, running every part on one chunk before the next;
 * a "whole" section runs its parts once, over all steps.
 */
export interface Section {
  readonly kind: "forward" | "reverse" | "whole";
  readonly parts: readonly Part[];
}

export interface StateSpec {
  readonly name: string;
  readonly buffer: number;
  readonly reverse: boolean;
  /** Value of every element when the caller gives no initial state. */
  readonly initial: number;
  /**
   * Where it is kept at every step, in a "steps+1" buffer. A run first copies the state into the slot before the first step: at
   * step 0, or at the last one in reverse.
   */
  readonly history?: Operand;
}

export interface Program {
  readonly name: string;
  readonly buffers: readonly BufferSpec[];
  readonly sections: readonly Section[];
  readonly states: readonly StateSpec[];
  /** Input name → buffer. */
  readonly inputs: Readonly<Record<string, number>>;
  /** Output name → operand of the buffer that holds it. */
  readonly outputs: Readonly<Record<string, Operand>>;
  /** Storage name → buffer. */
  readonly parameters: Readonly<Record<string, number>>;
}

export interface PreparedProgram {
  /**
   * Bind to a size and to the shared buffers (by index in `program.buffers`; a state has two). Allocates everything else.
   * @param steps the largest number of steps it will be run for
   */
  bind(steps: number, batch: number, shared: ReadonlyMap<number, readonly DeviceBuffer[]>): BoundProgram;
}

export interface BoundProgram {
  /**
   * Run `steps` steps. `parity` says which buffer of each state's pair holds the state before the first step; afterwards
   * the state lies in the buffer (parity + steps) mod 2. Allocates nothing after the first call with the same `steps`.
   */
  run(steps: number, parity: 0 | 1): void;
  dispose(): void;
}
