/**
 * Kernels as a module has them: a gemm of one product; a map whole, where the module has its equations, else an instruction at a time.
 */
import type { FunctionName, GemmKernel, Instruction, Kernel, MapKernel } from "@recurra/core";

/** What a simple kernel reads or writes: a view of the launch, by number, what an instruction gave, or a constant. */
export type Ref = number | { readonly temporary: number } | { readonly constant: number };

/** A kernel, its place in the module's table, and its operands, outputs last. */
export interface Simple {
  readonly kernel: Kernel;
  readonly place: number;
  readonly refs: readonly Ref[];
  /** How many rows it is run on, where that isn't what the launch says. */
  readonly rows?: number;
}

/** The place of a kernel in a module's table; undefined where the module doesn't have it. */
export type PlaceOf = (kernel: Kernel, repeated: readonly boolean[]) => number | undefined;

/** A map of one instruction. */
export const single = (fn: FunctionName, args: Instruction["args"], width = 1): MapKernel => ({
  op: "map",
  width,
  inputs: args.filter((arg) => "input" in arg).length,
  instructions: [{ fn, args }],
  outputs: [0],
});

export const copyOf = (width: number): MapKernel => single("copy", [{ input: 0 }], width);

/** @param repeated of each view, whether all its columns are one */
export function simplify(kernel: Kernel, repeated: readonly boolean[], placeOf: PlaceOf): Simple[] {
  if (kernel.op === "gemm") return simpleGemm(kernel, repeated, placeOf);
  const refs = repeated.map((_, i) => i);
  const inputs = kernel.op === "map" ? repeated.slice(0, kernel.inputs) : [];
  const place = placeOf(kernel, inputs);
  if (place !== undefined) return [{ kernel, place, refs }];
  return splitMap(kernel as MapKernel, repeated, placeOf);
}

/**
 * A gemm of several products adds each to what is there: the order of the sum, and its roundings, are the same. An addend that
 * repeats a column is first copied out.
 */
function simpleGemm(kernel: GemmKernel, repeated: readonly boolean[], placeOf: PlaceOf): Simple[] {
  const { width, addend, terms } = kernel;
  const out = repeated.length - 1;
  const given = addend ? [0] : [];
  const found: Simple[] = [];
  if (addend && repeated[0]) {
    const views = [0, out];
    for (const simple of simplify(copyOf(width), views.map((view) => repeated[view]!), placeOf))
      found.push({
        ...simple,
        ...(kernel.rows !== "rows" && { rows: kernel.rows }),
        refs: simple.refs.map((ref) => (typeof ref === "number" ? views[ref]! : ref)),
      });
  } // prettier-ignore
  for (const term of terms) {
    const from = found.length > 0 ? [out] : given;
    const product: GemmKernel = { ...kernel, addend: from.length > 0, terms: [term] };
    found.push({
      kernel: product,
      place: placeOf(product, []) as number,
      refs: [term.a, term.b, ...from, out],
    });
  }
  return found;
}

/** An instruction at a time. What is an output as well is copied there at the end, since outputs may lie on inputs. */
function splitMap(kernel: MapKernel, repeated: readonly boolean[], placeOf: PlaceOf): Simple[] {
  const { width, inputs, instructions, outputs } = kernel;
  const one = (fn: (typeof instructions)[number]["fn"], args: readonly Ref[], to: Ref): Simple => {
    const columns = args.map((ref) => (typeof ref === "number" ? repeated[ref]! : "constant" in ref));
    const inputs = args.map((_, input) => ({ input }));
    const simple = single(fn, inputs, width);
    return { kernel: simple, place: placeOf(simple, columns) as number, refs: [...args, to] };
  };
  return [
    ...instructions.map(({ fn, args }, i) =>
      one(
        fn,
        args.map((arg) => ("input" in arg ? arg.input : "result" in arg ? { temporary: arg.result } : arg)),
        { temporary: i },
      ),
    ),
    ...outputs.map((result, o) => one("copy", [{ temporary: result }], inputs + o)),
  ];
}

/** How many rows a simple gemm's result has, where it isn't as many as the launch is run on. */
export const fixedRows = (kernel: Kernel): number =>
  kernel.op === "gemm" && kernel.rows !== "rows" ? kernel.rows : 0;
