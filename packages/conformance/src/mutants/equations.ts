/** Faults in what programs compute: paths of the gradient, and the GRU's reset. */
import type { BufferSpec, Instruction, Launch, Operand, Program } from "@recurra/core/internal";
import type { Mutant } from "./mutant.ts";
import { isU, mapLaunches, mapSections, programFault } from "./program-faults.ts";

/** Read 0 for a state of the adjoint, instead of what it carries. */
function cutCarried(program: Program, which: RegExp): Program {
  const cut = new Set(program.states.filter((s) => which.test(s.name)).map((s) => s.buffer));
  if (cut.size === 0) return program;
  const zero: Operand = {
    buffer: program.buffers.length,
    column: 0,
    width: 1,
    row: 0,
    repeatRow: true,
    repeatColumn: true,
    shift: 0,
  };
  const buffers: BufferSpec[] = [
    ...program.buffers,
    { name: "0", role: "constant", rows: 1, width: 1, slots: 1, data: [0] },
  ];
  const changed = mapLaunches(program, (launch) =>
    launch.kernel.op === "map"
      ? {
          ...launch,
          inputs: launch.inputs.map((o) => (o.pair === "current" && cut.has(o.buffer) ? zero : o)),
        }
      : launch,
  );
  return { ...changed, buffers };
}

export const gradientMutants: readonly Mutant[] = [
  programFault("no gradient through h", "forgets that the loss of later steps depends on h", (program) =>
    cutCarried(program, /^d\..*\.h$/),
  ),
  programFault("no gradient through c", "forgets that the loss of later steps depends on c", (program) =>
    cutCarried(program, /^d\..*\.c$/),
  ),
  programFault("one gate's gradient", "forgets one gate's share in the gradient of the state", (program) => {
    const carried = new Set(program.states.filter((s) => s.name.startsWith("d.")).map((s) => s.buffer));
    return mapLaunches(program, (launch) => {
      const { kernel, outputs } = launch;
      if (kernel.op !== "gemm" || kernel.terms.length < 2 || !outputs.some((o) => carried.has(o.buffer)))
        return launch;
      return { ...launch, kernel: { ...kernel, terms: kernel.terms.slice(1) } };
    });
  }),
  programFault(
    "gradient with the state after the step",
    "dU sums δ with the state after the step instead of before it",
    (program) =>
      mapLaunches(program, (launch, { kind }) =>
        kind !== "whole"
          ? launch
          : {
              ...launch,
              inputs: launch.inputs.map((o) =>
                program.buffers[o.buffer]!.slots === "steps+1" ? { ...o, shift: o.shift === 0 ? 1 : 0 } : o,
              ),
            },
      ),
  ),
];

/** n = tanh(W·x + r ∘ (U·h + d)) becomes tanh(W·x + U·(r ∘ h) + d), in a GRU's loop. */
function resetBefore(program: Program): Program {
  const { buffers } = program;
  const added: BufferSpec[] = [...buffers];
  const add = (name: string, width: number): Operand => ({
    buffer: added.push({ name, role: "value", rows: "batch", width, slots: 1 }) - 1, column: 0, width, row: 0, repeatRow: false, repeatColumn: false, shift: 0,
  }); // prettier-ignore

  const change = (launches: readonly Launch[]): Launch[] =>
    launches.flatMap((launch) => {
      const { kernel, inputs } = launch;
      const d = inputs.findIndex((o) => buffers[o.buffer]!.name.endsWith(".d"));
      const h = inputs.findIndex((o) => o.pair === "current");
      const gemm = launches.find(
        (l) => l.kernel.op === "gemm" && l.inputs.some((o) => isU(buffers[o.buffer]!.name)),
      );
      if (kernel.op !== "map" || d < 0 || h < 0 || !gemm || gemm.kernel.op !== "gemm") return [launch];
      const { width } = kernel;
      const n = inputs.findIndex((o) => o.buffer === gemm.outputs[0]!.buffer && o.column === 2 * width);
      const sum = kernel.instructions.findIndex(
        (i) => i.fn === "plus" && [d, n].every((k) => i.args.some((a) => "input" in a && a.input === k)),
      );
      const product = kernel.instructions.find(
        (i) => i.fn === "times" && i.args.some((a) => "result" in a && a.result === sum),
      );
      const reset = product?.args.find((a) => "result" in a && a.result !== sum);
      const U = gemm.inputs.find((o) => isU(buffers[o.buffer]!.name));
      if (n < 0 || !product || !reset || !("result" in reset) || !U) return [launch];
      const [gated, through] = [add("r∘h", width), add("U·(r∘h)", width)];
      return [
        { ...launch, outputs: [gated], kernel: { ...kernel, instructions: [...kernel.instructions.slice(0, reset.result + 1), { fn: "times", args: [reset, { input: h }] }], outputs: [reset.result + 1] } },
        { ...gemm, inputs: [gated, { ...U, row: U.row + 2 * width }], outputs: [through], kernel: { ...gemm.kernel, addend: false, width, terms: [{ a: 0, b: 1, transposeA: false, transposeB: true, depth: width }] } },
        { ...launch, inputs: inputs.map((o, i) => (i === n ? through : o)), kernel: { ...kernel, instructions: kernel.instructions.map((i) => (i === product ? { fn: "copy", args: [{ result: sum }] } : i)) } },
      ]; // prettier-ignore
    });
  const changed = mapSections(program, (section) => ({
    ...section,
    parts: section.parts.map((part) =>
      part.kind === "loop" ? { ...part, launches: change(part.launches) } : part,
    ),
  }));
  return { ...changed, buffers: added };
}

export const equationMutants: readonly Mutant[] = [
  programFault(
    "reset before instead of after",
    "applies the GRU's reset to h before the product",
    resetBefore,
    { projection: "before" },
  ),
  programFault("reset ignored", "takes h where the reset times h is meant", (program) =>
    mapLaunches(program, (launch, _, kind) => {
      const { kernel } = launch;
      if (kind !== "loop" || kernel.op !== "map" || kernel.instructions.length !== 2) return launch;
      const [gate, product] = kernel.instructions as [Instruction, Instruction];
      if (gate.fn !== "sigmoid" || product.fn !== "times") return launch;
      return {
        ...launch,
        kernel: {
          ...kernel,
          instructions: [gate, { fn: "copy", args: [product.args.find((a) => "input" in a)!] }],
        },
      };
    }),
  ),
];
