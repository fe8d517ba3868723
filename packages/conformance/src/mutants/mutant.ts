/** What a mutant is, and the tools to make one from a correct backend. */
import type {
  Argument,
  Backend,
  FunctionName,
  Instruction,
  Kernel,
  MapKernel,
  View,
} from "@recurra/core/internal";
import { forward } from "../wrap.ts";

export interface Mutant {
  readonly name: string;
  /** What it does wrong. */
  readonly what: string;
  /** Whether its fault lies in memory and kernels, or in how whole programs run; laws about the one are tried first. */
  readonly level: "kernel" | "program";
  /** The faulty backend, from a correct synchronous one. */
  wrap(backend: Backend): Backend;
}

export const mutant = (level: Mutant["level"], name: string, what: string, wrap: Mutant["wrap"]): Mutant => ({
  name,
  what,
  level,
  wrap,
});

/** Only through the five kernels, so that a fault in them is seen in programs too. */
export const withKernels = (backend: Backend, prepare: Backend["prepare"]): Backend =>
  forward(backend, { prepare, prepareProgram: undefined });

/** A fault that another kernel's data describes. */
export const kernelFault = (name: string, what: string, change: (kernel: Kernel) => Kernel): Mutant =>
  mutant("kernel", name, what, (backend) =>
    withKernels(backend, (kernel) => backend.prepare(change(kernel))),
  );

/** Where a bound kernel works, with its memory as a host sees it. */
export interface Site {
  readonly kernel: Kernel;
  readonly rows: number;
  readonly tableRows: number;
  readonly inputs: readonly View[];
  readonly outputs: readonly View[];
  /** Run the correct kernel. */
  run(step: number): void;
  /** A matrix as it lies there at this step. */
  get(view: View, rows: number, width: number, step: number): Float32Array;
  put(view: View, rows: number, width: number, step: number, values: Float32Array): void;
}

/** A fault around a kernel's run. `fault` returns what to run instead; undefined leaves the kernel right. */
export const runFault = (
  name: string,
  what: string,
  fault: (site: Site) => ((step: number) => void) | undefined,
): Mutant =>
  mutant("kernel", name, what, (backend) =>
    withKernels(backend, (kernel) => {
      const prepared = backend.prepare(kernel);
      return {
        bind(rows, views, tableRows = 0) {
          const bound = prepared.bind(rows, views, tableRows);
          const outputs = kernel.op === "map" ? kernel.outputs.length : 1;
          const site: Site = {
            kernel,
            rows,
            tableRows,
            inputs: views.slice(0, views.length - outputs),
            outputs: views.slice(views.length - outputs),
            run: (step) => bound.run(step),
            ...hostOf(backend),
          };
          return { run: fault(site) ?? site.run };
        },
      };
    }),
  );

function hostOf(backend: Backend): Pick<Site, "get" | "put"> {
  const whole = ({ buffer }: View): Float32Array => {
    const data = new Float32Array(buffer.length);
    backend.readSync!(buffer, data, 0);
    return data;
  };
  const at = (
    { offset, rowStride, columnStride, stepStride, slots }: View,
    step: number,
    r: number,
    j: number,
  ): number => offset + (step % slots) * stepStride + r * rowStride + j * columnStride;
  return {
    get(view, rows, width, step) {
      const data = whole(view);
      return Float32Array.from(
        { length: rows * width },
        (_, i) => data[at(view, step, Math.floor(i / width), i % width)]!,
      );
    },
    put(view, _, width, step, values) {
      const data = whole(view);
      values.forEach((v, i) => (data[at(view, step, Math.floor(i / width), i % width)] = v));
      backend.write(view.buffer, data, 0);
    },
  };
}

/** The rows and columns of a kernel's result. */
function resultShape({
  kernel,
  rows,
  tableRows,
}: Pick<Site, "kernel" | "rows" | "tableRows">): readonly [number, number] {
  if (kernel.op === "reduce") return [rows, 1];
  if (kernel.op === "scatterAdd") return [tableRows, kernel.width];
  return [kernel.op === "gemm" && kernel.rows !== "rows" ? kernel.rows : rows, kernel.width];
}

/** Change every output after the run: new values from those before and after. */
export const resultFault = (
  name: string,
  what: string,
  change: (site: Site, before: Float32Array, after: Float32Array, step: number) => Float32Array | undefined,
): Mutant =>
  runFault(name, what, (site) => (step) => {
    const [rows, width] = resultShape(site);
    const before = site.outputs.map((view) => site.get(view, rows, width, step));
    site.run(step);
    site.outputs.forEach((view, o) => {
      const changed = change(site, before[o]!, site.get(view, rows, width, step), step);
      if (changed) site.put(view, rows, width, step, changed);
    });
  });

/** A bound kernel with other views or rows. */
export const boundFault = (
  name: string,
  what: string,
  change: (
    kernel: Kernel,
    rows: number,
    views: readonly View[],
  ) => { rows?: number; views?: readonly View[] },
): Mutant =>
  mutant("kernel", name, what, (backend) =>
    withKernels(backend, (kernel) => {
      const prepared = backend.prepare(kernel);
      return {
        bind(rows, views, tableRows) {
          const changed = change(kernel, rows, views);
          return prepared.bind(changed.rows ?? rows, changed.views ?? views, tableRows);
        },
      };
    }),
  );

export type Emit = (fn: FunctionName, ...args: readonly Argument[]) => Argument;

/** A map with its instructions rewritten one by one; `rule` says what stands for an instruction. */
export function rewrite(
  kernel: MapKernel,
  rule: (instruction: Instruction, emit: Emit) => Argument,
): MapKernel {
  const instructions: Instruction[] = [];
  const stands: Argument[] = [];
  const emit: Emit = (fn, ...args) => ({ result: instructions.push({ fn, args }) - 1 });
  for (const { fn, args } of kernel.instructions)
    stands.push(rule({ fn, args: args.map((a) => ("result" in a ? stands[a.result]! : a)) }, emit));
  // An output needs a result of its own.
  const outputs = kernel.outputs.map((i) => {
    const a = stands[i]!;
    return "result" in a ? a.result : (emit("copy", a) as { result: number }).result;
  });
  return { ...kernel, instructions, outputs };
}

/** A pointwise function that is wrong. */
export const functionFault = (
  fn: FunctionName,
  name: string,
  what: string,
  instead: (emit: Emit, ...args: Argument[]) => Argument,
): Mutant =>
  kernelFault(name, what, (kernel) =>
    kernel.op === "map"
      ? rewrite(kernel, (i, emit) => (i.fn === fn ? instead(emit, ...i.args) : emit(i.fn, ...i.args)))
      : kernel,
  );
